"""One JSON object a line on standard output, for this service's loggers and every library's."""

import io
import logging
import logging.config
import re
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core import context

_SECRET_KEY = re.compile(r"authorization|cookie|password|passwd|secret|token|api[-_]?key", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(?i)\b(bearer|basic|apikey)\s+\S+|\bkey_[0-9a-f]{16}\.\S+|(?<=://)[^/@\s:]*:[^@\s]*(?=@)")
_HIDDEN = "[hidden]"

# The file itself: `sys.stdout` can be replaced, and a line must not wait in a buffer.
_STDOUT = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115 - open as long as the process
_STDOUT_TEXT = io.TextIOWrapper(_STDOUT, "utf-8", write_through=True)


def _redacted(key: str, value: Any) -> Any:  # noqa: ANN401 - log values are of any type
    if _SECRET_KEY.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return _SECRET_VALUE.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {inner: _redacted(str(inner), content) for inner, content in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", item) for item in value]
    return value


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide what looks like a secret, by its name or by its form, wherever in the line it stands."""
    return {key: value if key.startswith("_") else _redacted(key, value) for key, value in event.items()}


def add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say which request the line belongs to."""
    current = context.current()
    if current is not None:
        event.setdefault("request_id", current.request_id)
        event.setdefault("trace_id", current.trace_id)
    return event


def _as_json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


_SHARED: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    add_request,
    structlog.processors.format_exc_info,
    redact,
)


def configure_logging(level: str) -> None:
    """Send every record of `level` and above to standard output, one JSON object each."""
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer(orjson.dumps, default=str)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(_STDOUT),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(_as_json),
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {
                "stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": _STDOUT_TEXT},
            },
            "root": {"handlers": ["stdout"], "level": level},
            # The servers' own request lines would stand beside ours.
            "loggers": {
                "uvicorn.access": {"handlers": [], "propagate": False},
                "gunicorn.access": {"handlers": [], "propagate": False},
            },
        }
    )
