"""What makes spans of this process, and sends them in a thread of its own."""

import logging
from collections.abc import Sequence
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.util.re import parse_env_headers

from app.core import about, context
from app.core.settings import Settings

_PATH: Final = "/v1/traces"
_SAMPLERS: Final[dict[str, Sampler]] = {
    "always_on": ALWAYS_ON,
    "always_off": ALWAYS_OFF,
    "parentbased_always_on": DEFAULT_ON,
    "parentbased_always_off": DEFAULT_OFF,
}
_log = structlog.get_logger("app.tracing")


def make_provider(settings: Settings) -> TracerProvider:
    """Return what makes spans and sends them to OTEL_EXPORTER_OTLP_ENDPOINT, with a thread of this process.

    What it does not find in `settings`, such as OTEL_BSP_SCHEDULE_DELAY, the SDK reads from the environment.

    Raises:
        ValueError: the SDK cannot use what it finds there.
    """
    secret = settings.otel_exporter_otlp_headers
    exporter = trace_exporter.OTLPSpanExporter(
        endpoint=settings.otel_exporter_otlp_endpoint.rstrip("/") + _PATH,
        headers=parse_env_headers(secret.get_secret_value(), liberal=True) if secret else None,
    )
    provider = TracerProvider(
        sampler=_sampler(settings), resource=_resource(settings), id_generator=_Ids(), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(WatchedExporter(exporter)))
    return provider


def _sampler(settings: Settings) -> Sampler:
    name, ratio = settings.otel_traces_sampler, settings.otel_traces_sampler_arg
    if name == "traceidratio":
        return TraceIdRatioBased(ratio)
    return ParentBasedTraceIdRatio(ratio) if name == "parentbased_traceidratio" else _SAMPLERS[name]


def _resource(settings: Settings) -> Resource:
    """Return what sends: OTEL_SERVICE_NAME, else what OTEL_RESOURCE_ATTRIBUTES says, else the name of this project."""
    own = Resource.create({"service.name": about.SLUG, "service.version": about.VERSION})
    name = {"service.name": settings.otel_service_name} if settings.otel_service_name else {}
    return own.merge(OTELResourceDetector().detect()).merge(Resource(name))


class _Ids(RandomIdGenerator):
    """A trace that begins here has the trace id that errors and the log have."""

    def generate_trace_id(self) -> int:
        current = context.current()
        return int(current.trace_id, 16) if current is not None else super().generate_trace_id()


class _Reason(logging.Filter):
    """Keeps what the exporter says, several times for each batch, out of the log, and the last of it in mind."""

    text = ""

    def filter(self, record: logging.LogRecord) -> bool:
        # With one value or none, it says that it gives up, and not why.
        if len(record.args or ()) > 1 or not self.text:
            self.text = record.getMessage()
        return False


_reason: Final = _Reason()


class WatchedExporter(SpanExporter):
    """Sends spans by `exporter`; the log says once that they are lost, and once that they no longer are."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0
        logging.getLogger(trace_exporter.__name__).addFilter(_reason)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send `spans`, or drop them once the receiver has not taken them in time."""
        _reason.text = ""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                _log.info("traces_received_again", lost_spans=self._lost)
            self._lost = 0
        else:
            if not self._lost:
                _log.warning("traces_not_received", reason=_reason.text)
            self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
