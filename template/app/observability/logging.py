"""One JSON object a line on standard output, for this service's loggers and every library's.

In development, on a terminal, it is text for people instead.
"""

import hashlib
import hmac
import io
import json
import logging
import logging.config
import re
import threading
from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core import context
from app.observability.secret_forms import FORMS

_log = structlog.get_logger("app.crashes")
_SECRET_KEY = re.compile(r"authorization|cookie|password|passwd|secret|token|api[-_]?key", re.IGNORECASE)
# Each part has a bound and none is tried twice: the time grows with the text, whatever it is.
_SECRET_VALUE = re.compile(
    r"(?i)\b(bearer|basic|apikey)\s++\S+"
    # JSON Web Tokens.
    r"|\beyJ[\w-]{1,4096}+\.\S+"
    # What stands before the @ of a URL.
    r"|(?<=://)[^/@\s:]{0,4096}+:[^@\s]{0,4096}+(?=@)" + "".join(f"|{form}" for form in FORMS)
)
_LONGEST_VALUE = 32 * 1024
_HIDDEN = "[hidden]"
# Who somebody is, or where.
_NOBODY = {"anonymous", "command line"}
_PERSONAL_KEYS = ("account", "new_account", "owner", "principal", "source_ip", "user")
_HASH_LENGTH = 32
_CUT = "[cut]"
# What structlog keeps about a record of the standard library until it is written.
_STDLIB_KEYS = {"_record", "_from_structlog"}

# The file itself: `sys.stdout` can be replaced, and a line must not wait in a buffer.
_STDOUT = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115 - open as long as the process
_STDERR = open(2, "wb", buffering=0, closefd=False)  # noqa: SIM115 - the same
STDOUT_TEXT = io.TextIOWrapper(_STDOUT, "utf-8", write_through=True)
STDERR_TEXT = io.TextIOWrapper(_STDERR, "utf-8", write_through=True)


def _redacted(key: str, value: Any) -> Any:  # noqa: ANN401 - log values are of any type
    if _SECRET_KEY.search(key):
        return _HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), content) for inner, content in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", item) for item in value]
    # Exceptions, bytes and the like are written as text: so they are searched as text.
    return _SECRET_VALUE.sub(_HIDDEN, _cut(str(value)))


def _cut(text: str) -> str:
    """Return `text` without what is too much to search; half a secret at its end would not be found."""
    if len(text) <= _LONGEST_VALUE:
        return text
    words = text[:_LONGEST_VALUE].rsplit(maxsplit=1)
    return (words[0] if len(words) > 1 else "") + _CUT


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide what looks like a secret, by its name or by its form, wherever in the line it stands."""
    return {key: value if key in _STDLIB_KEYS else _redacted(key, value) for key, value in event.items()}


def pseudonymize(key: str) -> Processor:
    """Return what replaces personal data by a keyed hash: lines about the same still belong together (HMAC-SHA-256)."""

    def hashed(value: object) -> str:
        return hmac.digest(key.encode(), str(value).casefold().encode(), hashlib.sha256).hex()[:_HASH_LENGTH]

    def process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        known = {name: event[name] for name in _PERSONAL_KEYS if event.get(name) and event[name] not in _NOBODY}
        return {**event, **{name: hashed(value) for name, value in known.items()}}

    return process


def add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say which request the line belongs to."""
    current = context.current()
    if current is not None:
        event.setdefault("request_id", current.request_id)
        event.setdefault("trace_id", current.trace_id)
        if current.span_id is not None:
            event.setdefault("span_id", current.span_id)
    return event


def _as_bytes(event: EventDict, **_: object) -> bytes:
    try:
        return orjson.dumps(event, default=str)
    except TypeError:
        # Half a character or a number of more than 64 bits: slower, but a line must never fail.
        return json.dumps(event, default=str).encode()


def _as_text(event: EventDict, **_: object) -> str:
    return _as_bytes(event).decode()


_text: Final = structlog.dev.ConsoleRenderer(timestamp_key="time", pad_event_to=0)


def _text_bytes(logger: WrappedLogger, method: str, event: EventDict) -> bytes:
    return _text(logger, method, event).encode()


_SHARED: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    add_request,
    structlog.processors.format_exc_info,
    redact,
)


def configure_logging(
    level: str, personal_data_key: str | None = None, *, to_stderr: bool = False, environment: str = ""
) -> None:
    """Send every record of `level` and above, warnings, and crashes of threads to standard output, or error.

    Each is one JSON object, or text if `environment` is development and a person looks at it on a terminal. With a
    `personal_data_key`, accounts, users and addresses are hashed with it.
    """
    hiding = [pseudonymize(personal_data_key)] if personal_data_key else []
    is_text = _is_text(environment, to_stderr=to_stderr)
    render: Processor = _text_bytes if is_text else structlog.processors.JSONRenderer(_as_bytes)
    structlog.configure(
        processors=[*hiding, *_SHARED, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(_STDERR if to_stderr else _STDOUT),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(logging_config(level, environment, to_stderr=to_stderr))
    logging.captureWarnings(capture=True)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _log_crash


def _is_text(environment: str, *, to_stderr: bool) -> bool:
    return environment == "development" and (_STDERR if to_stderr else _STDOUT).isatty()


def _log_crash(crash: threading.ExceptHookArgs) -> None:
    name = crash.thread.name if crash.thread else None
    _log.error("crash", thread=name, exc_info=crash.exc_value)


def logging_config(level: str, environment: str = "", *, to_stderr: bool = False) -> dict[str, Any]:
    """Return the configuration of the standard library's logging: names only, for processes that start anew."""
    stream = "STDERR_TEXT" if to_stderr else "STDOUT_TEXT"
    formatter = "text_formatter" if _is_text(environment, to_stderr=to_stderr) else "json_formatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"own": {"()": f"{__name__}.{formatter}"}},
        "handlers": {
            "lines": {
                "class": "logging.StreamHandler",
                "formatter": "own",
                "stream": f"ext://{__name__}.{stream}",
            },
        },
        "root": {"handlers": ["lines"], "level": level},
        "loggers": {
            # The server's own.
            "_granian": {"handlers": [], "propagate": True},
            "granian.access": {"handlers": [], "propagate": False},
            # It tells of every look at the revision, and so of every /readyz.
            "alembic.runtime.migration": {"level": "WARNING"},
            # It tells of each of its parts when it is imported.
            "alembic.runtime.plugins": {"level": "WARNING"},
            # It tells of each call with its whole URL, in which there may be secrets.
            "httpx2": {"level": "WARNING"},
            # It tells of spans that find the queue full, again and again; app/tracing says once that they are lost.
            "opentelemetry.sdk._shared_internal": {"level": "ERROR"},
            # It repeats what strangers send as `tracestate`.
            "opentelemetry.trace.span": {"level": "ERROR"},
        },
    }


def json_formatter() -> logging.Formatter:
    """Return what writes a record of the standard library as one JSON object."""
    return _formatter(structlog.processors.JSONRenderer(_as_text))


def text_formatter() -> logging.Formatter:
    """Return what writes a record of the standard library as text in colours."""
    return _formatter(_text)


def _formatter(render: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )
