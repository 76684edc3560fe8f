"""Where traces go, and which. The names and values are OpenTelemetry's."""

from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from app.core.features import FeatureSettings

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]
_ENDPOINT: Final = (
    "write the URL of a receiver of OTLP over HTTP, without the path of traces and without credentials, such as "
    "http://localhost:4318"
)


class TracingSettings(FeatureSettings):
    """Settings of traces: there are none unless OTEL_EXPORTER_OTLP_ENDPOINT is set."""

    otel_exporter_otlp_endpoint: str | None = None
    # Secrets: receivers that others host are told who sends by a header.
    otel_exporter_otlp_headers: SecretStr | None = None
    # The SDK would read it itself, past the check that secrets go to https:// alone.
    otel_exporter_otlp_traces_headers: SecretStr | None = None
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_sdk_disabled: bool = False
    otel_service_name: str | None = None
    otel_traces_sampler: Sampler = "parentbased_always_on"
    otel_traces_sampler_arg: float = Field(default=1.0, ge=0, le=1)

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _receiver(cls, value: str | None) -> str | None:
        if value is not None and not _is_base_url(value):
            raise ValueError(_ENDPOINT)
        return value


def _is_base_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    is_plain = value.isprintable() and not any(mark in value for mark in " @?#")
    return is_plain and parts.scheme in {"http", "https"} and bool(parts.hostname)
