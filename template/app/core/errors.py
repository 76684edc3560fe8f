"""The failures that a client can see: the general ones. Those of features are in `app/core/failures/`."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

_MOST_ECHOED = 100


class Detail(NamedTuple):
    """One thing that is wrong: where (`items.0.sku`), a stable code, and a sentence."""

    field: str
    code: str
    message: str

    def cut(self) -> "Detail":
        """Return the detail with long input from the client shortened."""
        return self if len(self.field) <= _MOST_ECHOED else self._replace(field=f"{self.field[:_MOST_ECHOED]}…")


class SettingsError(Exception):
    """The service cannot start as it is configured; the message says which setting, and what to do."""


class RouteError(SettingsError):
    """The service cannot start with one of its routes; the message names it and says what to do."""


class FeatureError(SettingsError):
    """The service cannot start with one of its features; the message names its module and says what to do."""


class RegistrationError(SettingsError):
    """The service cannot start with one of its errors; the message names its class and says what to do."""


class AppError(Exception):
    """A failure with an HTTP status, a stable code and a message for people.

    Services raise subclasses; one place renders them. Nothing else ever reaches a client. A subclass with a code of its
    own is defined here or in a module of `app/core/failures/`, and says `when` a client gets it, for docs/errors.md.

    Raises:
        RegistrationError: such a class is elsewhere, does not say when, or has the code of another.
    """

    status: int = 500
    code: str = "internal_error"
    when: ClassVar[str] = "a defect; the log has it under the trace id"
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

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if {"status", "code"} & vars(cls).keys():
            _register(cls)


REGISTERED: Final[dict[str, type[AppError]]] = {AppError.code: AppError}
_PLACES: Final = ("app.core.errors.", "app.core.failures.")


def _register(error: type[AppError]) -> None:
    name = f"{error.__module__}.{error.__qualname__}"
    if not name.startswith(_PLACES):
        raise RegistrationError(f"{name} has a code of its own: define it in a module of app/core/failures/.")
    if "when" not in vars(error):
        raise RegistrationError(
            f"{name} does not say when a client gets it: give it a text `when`, for docs/errors.md."
        )
    if error.code in REGISTERED:
        other = REGISTERED[error.code]
        raise RegistrationError(
            f"{name} and {other.__module__}.{other.__qualname__} have one code, {error.code}: each needs its own."
        )
    REGISTERED[error.code] = error


class BadRequest(AppError):
    status, code = 400, "bad_request"
    when = "the request could not be understood"
    default = "The request could not be understood."


class MalformedBody(AppError):
    status, code = 400, "malformed_body"
    when = "the body is not JSON in UTF-8"
    default = "The body is not JSON in UTF-8."


class InvalidCursor(AppError):
    status, code = 400, "invalid_cursor"
    when = "the cursor belongs to another list, sort, filter or caller, or was changed"
    default = "The cursor does not belong to this list, sort and filter. Start again without one."


class InvalidHost(AppError):
    status, code = 400, "invalid_host"
    when = "this service does not answer under that host name"
    default = "This service does not answer under that host name."


class Unauthenticated(AppError):
    status, code = 401, "unauthenticated"
    when = "there are no valid credentials; which part is wrong is not said"
    default = "Valid credentials are required."


class Forbidden(AppError):
    status, code = 403, "forbidden"
    when = "a scope or a role is missing"
    default = "The credentials do not permit this."


class NotFound(AppError):
    status, code = 404, "not_found"
    when = "there is nothing here, or nothing that this caller may see"
    default = "There is nothing here."


class MethodNotAllowed(AppError):
    status, code = 405, "method_not_allowed"
    when = "the path does not support this method; `Allow` lists those that it does"
    default = "This resource does not support that method."


class NotAcceptable(AppError):
    status, code = 406, "not_acceptable"
    when = "`Accept` excludes all that the resource answers, `application/json` in general"
    default = "This resource is only available as application/json."


class Conflict(AppError):
    status, code = 409, "conflict"
    when = "the request conflicts with the present state; what should be deleted is still referred to"
    default = "The request conflicts with the present state."


class PreconditionFailed(AppError):
    status, code = 412, "precondition_failed"
    when = "the resource is not at the version in `If-Match`"
    default = "The resource has changed since it was read. Read it again."


class BodyTooLarge(AppError):
    status, code = 413, "body_too_large"
    when = "the body is larger than `MAX_BODY_BYTES`, or than the endpoint's own limit"
    default = "The body is larger than this service accepts."


class UnsupportedMediaType(AppError):
    status, code = 415, "unsupported_media_type"
    when = "the body is not of the documented media type, or encoded"
    default = "Send the body as application/json in UTF-8, without a content encoding."


class Invalid(AppError):
    status, code = 422, "validation_error"
    when = (
        "`details` names each field or parameter; `unknown_reference` there is one that refers to what does not exist"
    )
    default = "The request is not valid; see details."


class HeadTooLarge(AppError):
    status, code = 431, "head_too_large"
    when = "the request line and the headers are longer than `MAX_HEAD_BYTES`; far beyond it the body is empty"
    default = "The request line and the headers are longer than this service accepts."


class Unavailable(AppError):
    status, code = 503, "unavailable"
    when = "the database or something else that the request needs is away or busy; try again after `Retry-After`"
    default = "The service cannot reach its database. Try again shortly."

    def __init__(self, message: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, headers={"Retry-After": "5", **(headers or {})})


class RequestTimeout(AppError):
    status, code = 504, "request_timeout"
    when = "it took longer than `REQUEST_TIMEOUT_SECONDS`; nothing was written, unless the message says that it may be"
    default = "The request took too long and was abandoned."
