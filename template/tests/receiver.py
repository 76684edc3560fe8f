"""A receiver of OpenTelemetry's protocol over HTTP, with which a collector or a tracing backend receives spans."""

import gzip
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
ERROR = Status.STATUS_CODE_ERROR


@dataclass
class Receiver:
    """What was received so far; `status` is what requests are answered with, and `answers` whether they are yet."""

    url: str = ""
    status: int = 200
    answers: Event = field(default_factory=Event)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def spans(self, kind: "Span.SpanKind.ValueType | None" = None) -> list[Span]:
        """Return the spans of one kind, or all."""
        return [span for span in self._spans() if kind is None or span.kind == kind]

    def resource(self) -> dict[str, object]:
        """Return what the sender says of itself."""
        (resource,) = {each.resource.SerializeToString(): each.resource for each in self._parts()}.values()
        return _plain(resource.attributes)

    def _parts(self) -> Iterator:
        return (part for request in [*self.requests] for part in request.resource_spans)

    def _spans(self) -> Iterator[Span]:
        return (span for part in self._parts() for scope in part.scope_spans for span in scope.spans)


def attributes(span: Span) -> dict[str, object]:
    """Return the attributes of a span."""
    return _plain(span.attributes)


def _plain(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in pairs}


@contextmanager
def receiving(port: int = 0) -> Generator[Receiver]:
    """Yield a receiver that listens at `port`, or any."""
    receiver = Receiver()
    receiver.answers.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.status == 200:
                body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                receiver.requests.append(ExportTraceServiceRequest.FromString(body))
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                receiver.paths.append(self.path)
            receiver.answers.wait()
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield receiver
        receiver.answers.set()
        server.shutdown()
