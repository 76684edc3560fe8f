"""The service under test as one check sees it: how to call it, and what to expect of its answers."""

from __future__ import annotations

import json as jsonlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from . import sockets
from .answers import Answer, Request
from .samples import an_order
from .shapes import envelope_problems, error_problems, order_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Unpack

    import httpx2

Who = dict[str, str]
NOTHING = object()


class Options(TypedDict, total=False):
    """What a request may have besides its method and target."""

    who: Who | None
    json: object
    content: bytes
    headers: Mapping[str, str] | None


@dataclass(frozen=True)
class Credentials:
    """The request headers that make each caller; all empty where the style is `none`."""

    alice: Who = field(default_factory=dict)  # orders:read, orders:write
    bob: Who = field(default_factory=dict)  # the same scopes, another owner
    reader: Who = field(default_factory=dict)  # orders:read only
    nobody: Who = field(default_factory=dict)  # no scopes
    admin: Who = field(default_factory=dict)  # role admin, both scopes


class UnmetError(Exception):
    """A check cannot go on; the message says what it needed and did not get."""


@dataclass
class Service:
    """A running service, and the failures that one check has found in it."""

    base_url: str
    auth: str
    credentials: Credentials
    client: httpx2.Client
    secret: str = ""  # what the service signs its tokens with, where the checks may know it
    failures: list[str] = field(default_factory=list)

    # Calling

    def call(
        self,
        method: str,
        target: str,
        *,
        who: Who | None = None,
        json: object = NOTHING,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request as `who` (alice unless told) and return the answer, whatever it is."""
        fields = dict(self.credentials.alice if who is None else who)
        if json is not NOTHING:
            content = jsonlib.dumps(json).encode()
            fields["Content-Type"] = "application/json"
        fields.update(headers or {})
        request = Request(method, target, tuple(fields.items()), content)
        response = self.client.request(method, self.base_url + target, content=content or None, headers=fields)
        received = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Answer(request, response.status_code, received, response.content)

    def get(self, target: str, **options: Unpack[Options]) -> Answer:
        """Return the answer to a GET."""
        return self.call("GET", target, **options)

    def post(self, target: str, **options: Unpack[Options]) -> Answer:
        """Return the answer to a POST."""
        return self.call("POST", target, **options)

    def put(self, target: str, **options: Unpack[Options]) -> Answer:
        """Return the answer to a PUT."""
        return self.call("PUT", target, **options)

    def patch(self, target: str, **options: Unpack[Options]) -> Answer:
        """Return the answer to a PATCH."""
        return self.call("PATCH", target, **options)

    def delete(self, target: str, **options: Unpack[Options]) -> Answer:
        """Return the answer to a DELETE."""
        return self.call("DELETE", target, **options)

    def raw(
        self,
        method: str,
        target: str,
        *headers: tuple[str, str],
        body: bytes = b"",
        host: str | None = "localhost",
        version: str = "1.1",
    ) -> Answer:
        """Send exactly these fields through a socket, as nobody unless a credential is among them."""
        sized = (("Content-Length", str(len(body))),) if body else ()
        request = Request(method, target, (*headers, *sized), body)
        return sockets.exchange(self.base_url, request, host=host, version=version)

    def create(self, *, who: Who | None = None, **changes: object) -> dict[str, Any]:
        """Return a new order as the service answered it; the check ends here when it is not made."""
        answer = self.post("/v1/orders", who=who, json=an_order(**changes))
        return self.needed(answer, 201)

    def create_many(self, number: int, **changes: object) -> list[dict[str, Any]]:
        """Return as many new orders, oldest first."""
        made = [self.post("/v1/orders", json=an_order(**changes)) for _ in range(number)]
        return [self.needed(answer, 201) for answer in made]

    def read(self, order_id: str, **options: Unpack[Options]) -> dict[str, Any]:
        """Return the order; the check ends here when it cannot be read."""
        return self.needed(self.get(f"/v1/orders/{order_id}", **options), 200)

    def etag(self, order_id: str) -> str:
        """Return the order's entity tag."""
        answer = self.get(f"/v1/orders/{order_id}")
        self.needed(answer, 200)
        tag = answer.header("etag")
        if tag is None:
            raise UnmetError(f"a single resource has an ETag\n{answer.describe()}")
        return tag

    def page(self, target: str, **options: Unpack[Options]) -> dict[str, Any]:
        """Return one page of a list, its envelope checked; the check ends here when it is no page."""
        answer = self.get(target, **options)
        body = self.needed(answer, 200)
        if problems := list(envelope_problems(body)):
            raise UnmetError(f"{'; '.join(problems)}\n{answer.describe()}")
        return body

    def needed(self, answer: Answer, status: int) -> dict[str, Any]:
        """Return the decoded body of an answer that the rest of the check builds on."""
        if answer.status != status:
            raise UnmetError(f"needed {status}, got {answer.status}\n{answer.describe()}")
        body: dict[str, Any] = answer.json()
        return body

    # Expecting

    def claim(self, fact: str, holds: object, *answers: Answer) -> bool:
        """Record a failure when the fact does not hold."""
        if not holds:
            self.failures.append("\n".join([fact, *(answer.describe() for answer in answers)]))
        return bool(holds)

    def expect(self, answer: Answer, status: int | Collection[int], about: str = "") -> bool:
        """Record a failure when the status is none of these."""
        accepted = {status} if isinstance(status, int) else set(status)
        wanted = " or ".join(str(each) for each in sorted(accepted))
        subject = f"{about}: " if about else ""
        return self.claim(f"{subject}expected {wanted}, got {answer.status}", answer.status in accepted, answer)

    def expect_error(
        self,
        answer: Answer,
        status: int | Collection[int],
        about: str = "",
        *,
        code: str | None = None,
        field: str | None = None,
    ) -> None:
        """Record a failure when this is not that error in the one shape."""
        if self.expect(answer, status, about) and answer.request.method != "HEAD":
            self.expect_none(answer, error_problems(answer, code, field), about)

    def expect_order(self, answer: Answer, status: int = 200, about: str = "") -> None:
        """Record a failure when this is not an order with that status."""
        if self.expect(answer, status, about):
            self.expect_none(answer, order_problems(answer.json()), about)

    def expect_none(self, answer: Answer, problems: Iterable[str], about: str = "") -> None:
        """Record a failure for each problem."""
        for problem in problems:
            self.failures.append("\n".join([f"{about}: {problem}" if about else problem, answer.describe()]))

    def expect_survival(self, answer: Answer, about: str = "") -> None:
        """Record a failure when the service broke on something that it may accept or refuse as it likes."""
        survived = answer.status < 500
        if self.claim(f"{about}: never a server error, got {answer.status}", survived, answer) and answer.status >= 400:
            self.expect_none(answer, error_problems(answer, None, None), about)
