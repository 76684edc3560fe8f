"""Sections 1, 2 and 4: paths, methods, and the errors that a framework would rather make itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check
from .samples import UNKNOWN_ID, listing

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ACTIONS = ("submit", "pay", "ship", "cancel")
READ = {"GET", "HEAD", "OPTIONS"}
OPERATIONS = {"/healthz": READ, "/readyz": READ, "/openapi.json": READ, "/docs": READ}
UNKNOWN_PATHS = (
    "/nope",
    "/v1",
    "/v1/",
    "/v1/nope",
    "/v2/orders",
    "/V1/orders",
    "/v1//nope",
    "/healthz/",
    "/readyz/",
    "/healthz/nope",
)
NOT_UUIDS = (
    *("abc", "1", "null", UNKNOWN_ID[:-1], UNKNOWN_ID + "0", UNKNOWN_ID.replace("f", "g", 1), "%00", "%F0%9F%99%82"),
    *("'", "0" * 3000, UNKNOWN_ID + "%0A", "%20" + UNKNOWN_ID, "-" * 36, "{" + UNKNOWN_ID + "}"),
    "urn:uuid:" + UNKNOWN_ID,
)


def order_paths(order_id: str) -> dict[str, set[str]]:
    """Return the paths of the orders resource, and the methods that each has."""
    one = {*READ, "PUT", "PATCH", "DELETE"}
    actions = {f"{ORDERS}/{order_id}/{action}": {"POST", "OPTIONS"} for action in ACTIONS}
    return {ORDERS: {*READ, "POST"}, f"{ORDERS}/{order_id}": one, **actions}


def allowed(value: str | None) -> set[str]:
    """Return the methods that an Allow field lists."""
    return {method.strip() for method in (value or "").split(",") if method.strip()}


def expect_methods(service: Service, path: str, methods: set[str]) -> None:
    """Expect 405 with a complete Allow for every other method, and that Allow from OPTIONS."""
    for method in METHODS:
        if method not in methods:
            answer = service.call(method, path)
            service.expect_error(answer, 405, f"{method} {path}")
            shown = allowed(answer.header("allow"))
            service.claim(f"{method} {path}: Allow is {sorted(methods)}, not {sorted(shown)}", shown == methods, answer)
    options = service.call("OPTIONS", path)
    if service.expect(options, {200, 204}, f"OPTIONS {path}"):
        shown = allowed(options.header("allow"))
        service.claim(f"OPTIONS {path}: Allow is {sorted(methods)}, not {sorted(shown)}", shown == methods, options)
    # A method that nobody has may also be unknown to the server: 501 (RFC 9110, 9.1), or 400 from its parser.
    service.expect(service.raw("BREW", path), {400, 405, 501}, f"BREW {path}")
    service.expect(service.raw("TRACE", path), {400, 405, 501}, f"TRACE {path}")


@check(orders=False)
def operations_paths_have_a_complete_allow(service: Service) -> None:
    for path, methods in OPERATIONS.items():
        expect_methods(service, path, methods)


@check()
def order_paths_have_a_complete_allow(service: Service) -> None:
    for path, methods in order_paths(service.create()["id"]).items():
        expect_methods(service, path, methods)


@check(orders=False)
def an_unknown_path_is_404_in_the_one_shape(service: Service) -> None:
    for path in UNKNOWN_PATHS:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            service.expect_error(service.call(method, path), 404, f"{method} {path}")
    service.expect(service.call("HEAD", "/nope"), 404)


@check()
def a_trailing_slash_is_404_and_no_redirect(service: Service) -> None:
    order = service.create()
    for path in (
        f"{ORDERS}/",
        f"{ORDERS}//",
        f"{ORDERS}/{order['id']}/",
        f"{ORDERS}/{order['id']}/submit/",
        "/v1//orders",
        "//v1/orders",
    ):
        for method in ("GET", "POST"):
            answer = service.raw(method, path, *service.credentials.alice.items())
            service.expect_error(answer, 404, f"{method} {path}")
    for path in (
        f"{ORDERS}/?limit=1",
        "/v1/Orders",
        "/v1/orders%20",
        "/v1/order",
        f"{ORDERS}/{order['id']}/nope",
        f"{ORDERS}/{order['id']}/Submit",
    ):
        service.expect_error(service.get(path), 404, path)


@check()
def an_encoded_slash_is_no_slash(service: Service) -> None:
    order = service.create()
    for path in ("/v1%2Forders", "/v1%2forders", f"/v1/orders%2F{order['id']}", f"%2Fv1/orders/{order['id']}"):
        for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
            answer = service.raw(method, path, *service.credentials.alice.items())
            # What does not begin with a slash is no path, which a server may say (RFC 9112, 3.2).
            service.expect(answer, 404 if path.startswith("/") else {400, 404}, f"{method} {path}")
    service.expect_order(service.get(f"{ORDERS}/{order['id']}"), 200, "it is still there")


@check(orders=False)
def an_operations_path_with_an_encoded_slash_is_404(service: Service) -> None:
    for path in ("/%2Fhealthz", "/%2fhealthz", "/healthz%2F", "/healthz%2f..%2freadyz", "/docs%2Fassets"):
        service.expect_error(service.raw("GET", path), 404, path)


@check(orders=False)
def strange_paths_never_break_the_service(service: Service) -> None:
    for path in (
        "/%00",
        "/%FF",
        "/..",
        "/v1/../v1/orders",
        "/%2e%2e/",
        "/v1/orders/%2F",
        "/\N{GRINNING FACE}",
        "/" + "a" * 8000,
        "/v1/orders;a=b",
        "/?%",
        "/%",
    ):
        answer = service.raw("GET", path)
        # A server may refuse what is no request target (RFC 9112, 3.2) in a shape of its own.
        service.claim(f"{path[:40]}: never a server error, got {answer.status}", answer.status < 500, answer)
    for target in ("*", "http://localhost/healthz"):
        answer = service.raw("OPTIONS", target)
        service.claim(f"OPTIONS {target}: got {answer.status}", answer.status < 500, answer)


@check()
def an_id_that_is_no_uuid_is_422(service: Service) -> None:
    for value in NOT_UUIDS:
        for method in ("GET", "DELETE"):
            # Braces and urn: are spellings of a UUID that some accept; then it is an unknown one.
            accepted = {404, 422} if value[0] in "{u" else {422}
            service.expect_error(service.call(method, f"{ORDERS}/{value}"), accepted, f"{method} {value[:50]}")
    service.expect_error(service.patch(f"{ORDERS}/abc", json={}), 422, "PATCH")
    service.expect_error(service.post(f"{ORDERS}/abc/submit"), 422, "submit")
    service.expect_survival(service.get(f"{ORDERS}/%FF"), "an id that is not UTF-8")


@check()
def an_unknown_id_is_404(service: Service) -> None:
    for order_id in (UNKNOWN_ID, "0195e7a0-0000-7000-8000-000000000000", "4c1b8f0e-8f2a-4b53-9c4e-2f1f6a1b2c3d"):
        path = f"{ORDERS}/{order_id}"
        for method in ("GET", "DELETE"):
            service.expect_error(service.call(method, path), 404, f"{method} {order_id}")
        service.expect_error(service.patch(path, json={"note": "x"}), 404, "PATCH")
        for action in ACTIONS:
            service.expect_error(service.post(f"{path}/{action}"), 404, action)
    service.expect(service.call("HEAD", f"{ORDERS}/{UNKNOWN_ID}"), 404)


@check()
def head_answers_like_get_without_a_body(service: Service) -> None:
    order = service.create()
    targets = (
        ORDERS + "?limit=1",
        f"{ORDERS}/{order['id']}",
        f"{ORDERS}/{UNKNOWN_ID}",
        listing(limit=0),
        "/healthz",
        "/docs",
        "/openapi.json",
    )
    for target in targets:
        expect_head_like_get(service, target)


@check(orders=False)
def head_works_on_operations_paths(service: Service) -> None:
    for target in OPERATIONS:
        expect_head_like_get(service, target)


def expect_head_like_get(service: Service, target: str) -> None:
    """Expect the same status and fields from HEAD, and no byte after them."""
    got, headed = service.get(target), service.call("HEAD", target)
    service.expect(headed, got.status, f"HEAD {target}")
    vary = {"date", "x-request-id", "content-length", "transfer-encoding", "connection", "content-security-policy"}
    named = [{name for name, _ in answer.headers} - vary - rate_limits(answer.headers) for answer in (got, headed)]
    service.claim(
        f"HEAD {target} has the fields of GET, not other {sorted(named[0] ^ named[1])}",
        named[0] == named[1],
        got,
        headed,
    )
    for name in ("etag", "content-type", "cache-control"):
        service.claim(f"HEAD {target}: the same {name}", got.header(name) == headed.header(name), got, headed)
    length = headed.header("content-length")
    # Leaving it out is allowed (RFC 9110, 9.3.2); that of an error varies with nothing either.
    service.claim(
        f"HEAD {target}: the length of GET's body", length in {None, got.header("content-length")}, got, headed
    )
    fields = tuple(service.credentials.alice.items())
    received = sockets.bytes_until_close(service.base_url, Request("HEAD", target, fields))
    service.claim(f"HEAD {target}: no bytes after the head: {received[-80:]!r}", received.endswith(b"\r\n\r\n"), headed)


def rate_limits(headers: tuple[tuple[str, str], ...]) -> set[str]:
    """Return the fields that count down."""
    return {name for name, _ in headers if name.startswith("ratelimit")}
