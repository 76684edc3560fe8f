"""The checks before an endpoint runs: collected once per route, applied to each request."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from app.auth.policy import Access, declared_access, name_of
from app.core import context
from app.core.errors import BodyTooLarge, RouteError
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.http.body import JSON, BodyFormat, Sizes, sizes_of
from app.http.bulkhead import RoomOf
from app.http.declared import declared
from app.http.deprecation import Deprecation
from app.http.limited import count_request, limits_of, limits_on
from app.http.negotiation import require_acceptable
from app.http.receiving import announced
from app.http.retries import check_key
from app.http.validation import QueryNames


class Body(NamedTuple):
    """The body that an endpoint declares: formats, whether it is required, and its size limits."""

    formats: tuple[BodyFormat, ...]
    is_required: bool
    sizes: Sizes = Sizes(0, 0)

    @classmethod
    def of(cls, annotation: Any, *formats: BodyFormat, is_required: bool = True) -> "Body":  # noqa: ANN401 - any type
        """Return the body that becomes an `annotation`."""
        return cls(formats or (JSON,), is_required, sizes_of(annotation))

    def format_of(
        self, content_type: Sequence[str], content_encoding: Sequence[str], *, is_there: bool
    ) -> BodyFormat | None:
        """Return the format of the body that was sent with these headers, or None where none has to be.

        Raises:
            UnsupportedMediaType: it is in none of the formats.
        """
        if not is_there and not content_type and not self.is_required:
            return None
        known = (each for each in self.formats if each.is_of(content_type, content_encoding))
        found = next(known, None)
        if found is None:
            raise self.formats[0].refusal()
        return found


class Contract:
    """One method of one path: who may call it, what it takes and what it answers."""

    def __init__(  # noqa: PLR0913 - each is a part of the contract
        self,
        method: str,
        path: str,
        endpoint: Any,  # noqa: ANN401 - a function, an application, or what else can be called
        *,
        inherited: Access | None = None,
        body: Body | None = None,
        query: QueryNames | None = None,
        produces: Collection[str] | None = None,
    ) -> None:
        """Put together what `endpoint` declares.

        `inherited` is what holds where the endpoint itself declares nothing. Without `query` any parameters may be
        sent, and without `produces` an answer may be of any media type.

        Raises:
            RouteError: nothing says who may call it, or it requires a scope that nobody can be granted. Closed by
                default: a service with such a route does not start.
        """
        self.method, self.path, self.endpoint = method, path, endpoint
        access = declared_access(endpoint) or inherited
        if access is None:
            how = "put @public or @requires(...) from app.auth.policy on it."
            raise RouteError(f"{self} does not say who may call it: {how}")
        if unknown := sorted(access.scopes - SCOPES.keys()):
            known = f"It has {', '.join(SCOPES)}." if SCOPES else "It has none yet."
            raise RouteError(f"{self} requires {', '.join(unknown)}, which is not in app/core/scopes.py. {known}")
        self.access = access
        self.body, self.query = body, query
        self.declared_produces: tuple[str, ...] = declared(endpoint, "produces") or ()
        self.produces = self.declared_produces or produces
        self.deprecation: Deprecation | None = declared(endpoint, "deprecation")
        self.limits = limits_of(endpoint)
        self.room: RoomOf | None = declared(endpoint, "room_of")
        self.max_body_bytes: int | None = declared(endpoint, "max_body")
        self.takes_key = method == "POST" and not access.public and not declared(endpoint, "never_stored")

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({name_of(self.endpoint)})"

    def enter(self) -> None:
        """Note the route for the log, and what each of its answers says."""
        current = context.current()
        if current is not None and current.route is None:
            current.route = self.path
            current.takes_key = self.takes_key
            current.headers += self.deprecation.headers() if self.deprecation else []

    def max_body(self, settings: Settings) -> int:
        """Return how many bytes the body of a request may have."""
        return settings.max_body_bytes if self.max_body_bytes is None else self.max_body_bytes

    def parse(self, body_format: BodyFormat, content: bytes) -> Any:  # noqa: ANN401 - whatever the client sent
        """Return the value that `content` spells, or None where the framework alone reads that format.

        Raises:
            MalformedBody, Invalid: it is not in that format, or more than a valid one has.
        """
        if body_format.parse is None or self.body is None:
            return None
        return body_format.parse(content, *self.body.sizes)

    def check_media_types(self, headers: "Headers", *, has_body: bool) -> BodyFormat | None:
        """Return the format of the body, if one is declared and there.

        Raises:
            UnsupportedMediaType: the body is in another format.
            NotAcceptable: the client takes nothing that this endpoint answers.
        """
        found = None
        if self.body is not None:
            sent = headers.getlist("content-type"), headers.getlist("content-encoding")
            found = self.body.format_of(*sent, is_there=has_body)
        if self.produces is not None:
            require_acceptable(headers.getlist("accept"), self.produces)
        return found

    def is_limited(self, method: str) -> bool:
        """Return whether requests with `method` are counted."""
        return bool(limits_on(method, self.limits))

    def check_limits(self, method: str, settings: Settings) -> None:
        """Count the current request, whose caller is known if there is one. It may block; see `limited.blocks`.

        Raises:
            TooManyRequests: there were more than the route allows, or, if it writes, than RATE_LIMIT_WRITES.
        """
        count_request(limits_on(method, self.limits), settings)

    def check_head(self, headers: "Headers", settings: Settings) -> None:
        """Check the announced length of the body against the limit, and the idempotency key if one is taken.

        Raises:
            BodyTooLarge: the body is larger.
            Invalid: there are several keys, or it cannot be one.
        """
        if self.takes_key:
            check_key(headers.getlist("idempotency-key"))
        if any(announced(length) > self.max_body(settings) for length in headers.getlist("content-length")):
            raise BodyTooLarge

    def check_query(self, query: bytes) -> None:
        """Check that every parameter in the query string is declared.

        Raises:
            Invalid: one is unknown, or repeated.
        """
        if self.query is not None:
            self.query.check(query)


class Headers(Protocol):
    """Header fields, as frameworks have them."""

    def getlist(self, key: str, /) -> list[str]:
        """Return the lines of a header."""


class Routes(Protocol):
    """What an application answers."""

    def match(self, method: str, path: str) -> Contract | None:
        """Return the contract of the route that `path` leads to, or None where the framework is to answer.

        Raises:
            NotFound, MethodNotAllowed: there is no such route.
        """

    def methods(self, path: str) -> Collection[str]:
        """Return the methods of `path`, with OPTIONS if a route answers it; none where nothing is there."""


Contracts = Mapping[tuple[str, str], Contract]
"""By method and path, as the OpenAPI document has them."""
