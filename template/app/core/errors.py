"""Every failure that a client can see, by its stable code. This is the one list; docs/errors.md shows it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

_MOST_ECHOED = 100


class Detail(NamedTuple):
    """One thing that is wrong: where (`items.0.sku`), a stable code, and a sentence."""

    field: str
    code: str
    message: str

    def cut(self) -> "Detail":
        """Return the same with no more of what the client sent than tells it what is meant."""
        return self if len(self.field) <= _MOST_ECHOED else self._replace(field=f"{self.field[:_MOST_ECHOED]}…")


class AppError(Exception):
    """A failure with an HTTP status, a stable code and a message for people.

    Services raise subclasses; one place renders them. Nothing else ever reaches a client.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    default: ClassVar[str] = "Something went wrong on our side."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default
        self.details = tuple(details)
        self.headers = dict(headers or {})
        super().__init__(self.message)


class BadRequest(AppError):
    status, code = 400, "bad_request"
    default = "The request could not be understood."


class MalformedBody(AppError):
    status, code = 400, "malformed_body"
    default = "The body is not JSON in UTF-8."


class InvalidCursor(AppError):
    status, code = 400, "invalid_cursor"
    default = "The cursor does not belong to this list, sort and filter. Start again without one."


class InvalidHost(AppError):
    status, code = 400, "invalid_host"
    default = "This service does not answer under that host name."


class Unauthenticated(AppError):
    status, code = 401, "unauthenticated"
    default = "Valid credentials are required."


class Forbidden(AppError):
    status, code = 403, "forbidden"
    default = "The credentials do not permit this."


class NotFound(AppError):
    status, code = 404, "not_found"
    default = "There is nothing here."


class MethodNotAllowed(AppError):
    status, code = 405, "method_not_allowed"
    default = "This resource does not support that method."


class NotAcceptable(AppError):
    status, code = 406, "not_acceptable"
    default = "This resource is only available as application/json."


class Conflict(AppError):
    status, code = 409, "conflict"
    default = "The request conflicts with the present state."


class PreconditionFailed(AppError):
    status, code = 412, "precondition_failed"
    default = "The resource has changed since it was read. Read it again."


class BodyTooLarge(AppError):
    status, code = 413, "body_too_large"
    default = "The body is larger than this service accepts."


class UnsupportedMediaType(AppError):
    status, code = 415, "unsupported_media_type"
    default = "Send the body as application/json in UTF-8, without a content encoding."


class Invalid(AppError):
    status, code = 422, "validation_error"
    default = "The request is not valid; see details."


class HeadTooLarge(AppError):
    status, code = 431, "head_too_large"
    default = "The request line and the headers are longer than this service accepts."


class Unavailable(AppError):
    status, code = 503, "unavailable"
    default = "The service cannot reach its database. Try again shortly."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"Retry-After": "5"})


class RequestTimeout(AppError):
    status, code = 504, "request_timeout"
    default = "The request took too long and was abandoned."


class SettingsError(Exception):
    """The service cannot start as it is configured; the message says which setting, and what to do."""


def failures() -> list[type[AppError]]:
    """Return every kind of failure, those of all imported modules included; general ones stand before special ones."""

    def walk(error: type[AppError]) -> list[type[AppError]]:
        return [error, *(leaf for child in error.__subclasses__() for leaf in walk(child))]

    return walk(AppError)
