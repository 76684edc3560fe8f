"""Sections 8, 9 and 12: the fields that every answer has, and those that none may have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .registry import check
from .samples import UNKNOWN_ID, an_order, listing, unique

if TYPE_CHECKING:
    from .answers import Answer
    from .service import Service

ORDERS = "/v1/orders"
JSON = {"Content-Type": "application/json"}
SANE = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECURITY = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}
STRANGE_IDS = (
    "a" * 129,
    "a b",
    "a/b",
    "é",
    "<script>",
    "a,b",
    "a;b",
    "",
    "a" * 4000,
    "\N{GRINNING FACE}",
    "a%0Ab",
    "{}",
)
BAD_TRACES = (
    f"00-{'0' * 32}-00f067aa0ba902b7-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-00f067aa0ba902b7-01",
    f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    f"00-{TRACE[:-1]}-00f067aa0ba902b7-01",
    f"00-{TRACE}0-00f067aa0ba902b7-01",
    f"00-{TRACE}-00f067aa0ba902b7",
    f"00-{TRACE}-00f067aa0ba902b7-01-extra",
    f"00-{TRACE[:-1]}g-00f067aa0ba902b7-01",
    f"00-{TRACE}-00f067aa0ba902b7-zz",
    f"0-{TRACE}-00f067aa0ba902b7-01",
    TRACE,
    "garbage",
    "",
)


def answers_of_operations(service: Service) -> dict[str, Answer]:
    """Return answers that every service gives."""
    found = {target: service.get(target) for target in ("/healthz", "/readyz", "/docs", "/openapi.json")}
    return found | {
        "404": service.get("/nope"),
        "405": service.delete("/healthz"),
        "HEAD": service.call("HEAD", "/healthz"),
        "OPTIONS": service.call("OPTIONS", "/healthz"),
    }


def answers_with_a_principal(service: Service) -> dict[str, Answer]:
    """Return answers to a known caller, of every status that is easily had."""
    made = service.post(ORDERS, json=an_order())
    path = f"{ORDERS}/{service.needed(made, 201)['id']}"
    return {
        "200 list": service.get(listing(limit=1)),
        "200": service.get(path),
        "201": made,
        "304": service.get(path, headers={"If-None-Match": "*"}),
        "400": service.post(ORDERS, content=b"{", headers=JSON),
        "404": service.get(f"{ORDERS}/{UNKNOWN_ID}"),
        "409": service.post(f"{path}/ship"),
        "412": service.patch(path, json={}, headers={"If-Match": '"x"'}),
        "422": service.get(listing(limit=0)),
        "204": service.delete(path),
    }


def answers_before_a_principal(service: Service) -> dict[str, Answer]:
    """Return refusals from before the caller is known, or while the body is read."""
    return {
        "405": service.put(ORDERS, json={}),
        "406": service.get(ORDERS, headers={"Accept": "text/html"}),
        "413": service.raw(
            "POST", ORDERS, *service.credentials.alice.items(), *JSON.items(), ("Content-Length", str(2**24))
        ),
        "415": service.post(ORDERS, content=b"x", headers={"Content-Type": "text/plain"}),
        "OPTIONS": service.call("OPTIONS", ORDERS),
    }


def expect_common_fields(service: Service, answers: dict[str, Answer]) -> None:
    """Expect the fields that every answer has."""
    for about, answer in answers.items():
        for name, value in SECURITY.items():
            service.claim(
                f"{about}: {name} is {value}, once", [v for n, v in answer.headers if n == name] == [value], answer
            )
        request_id = answer.header("x-request-id") or ""
        service.claim(f"{about}: X-Request-ID is made, not {request_id!r}", SANE.match(request_id), answer)
        service.claim(f"{about}: nothing says what it runs on", answer.header("x-powered-by") is None, answer)
        cors = [name for name, _ in answer.headers if name.startswith("access-control-")]
        service.claim(f"{about}: CORS is closed, without {cors}", not cors, answer)
        kinds = [value for name, value in answer.headers if name == "content-type"]
        service.claim(f"{about}: one Content-Type at most, not {kinds}", len(kinds) <= 1, answer)


@check(orders=False)
def answers_of_operations_have_the_common_fields(service: Service) -> None:
    expect_common_fields(service, answers_of_operations(service))


@check()
def answers_of_every_status_have_the_common_fields(service: Service) -> None:
    expect_common_fields(service, answers_with_a_principal(service) | answers_before_a_principal(service))


@check(auth="any")
def nothing_said_to_a_principal_is_stored(service: Service) -> None:
    # With auth `none`, whether the anonymous caller is a principal in this sense is left open.
    for about, answer in answers_with_a_principal(service).items():
        directives = {each.strip() for each in (answer.header("cache-control") or "").split(",")}
        service.claim(f"{about}: Cache-Control holds no-store, not {directives}", "no-store" in directives, answer)


@check(orders=False)
def a_sane_request_id_is_returned(service: Service) -> None:
    for value in (unique(), "a", "A.b_c-9", "a" * 128, "-", "..."):
        for target in ("/healthz", "/nope"):
            answer = service.get(target, headers={"X-Request-ID": value})
            service.claim(f"{target}: X-Request-ID is {value}", answer.header("x-request-id") == value, answer)


@check(orders=False)
def a_strange_request_id_is_replaced(service: Service) -> None:
    for value in STRANGE_IDS:
        answer = service.raw("GET", "/nope", ("X-Request-ID", value))
        service.expect_error(answer, 404, value[:40])
        got = answer.header("x-request-id") or ""
        service.claim(f"X-Request-ID {value[:40]!r} is replaced, not {got!r}", SANE.match(got) and got != value, answer)
    twice = service.raw("GET", "/nope", ("X-Request-ID", "one"), ("X-Request-ID", "two"))
    service.claim("of two ids, one or a new one", SANE.match(twice.header("x-request-id") or ""), twice)
    made = {service.get("/healthz").header("x-request-id") for _ in range(5)}
    service.claim("each request has an id of its own", len(made) == 5)


@check(orders=False)
def the_trace_id_is_that_of_a_valid_traceparent(service: Service) -> None:
    for flags in ("01", "00", "ff"):
        answer = service.get(
            "/nope", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-{flags}", "tracestate": "a=b"}
        )
        service.expect_error(answer, 404)
        service.claim(f"trace_id is {TRACE}", answer.member("trace_id") == TRACE, answer)


@check(orders=False)
def a_bad_traceparent_is_ignored(service: Service) -> None:
    # A later version's may be longer (W3C Trace Context, 4.3); whether it is read is left open.
    for value in BAD_TRACES:
        answer = service.get("/nope", headers={"traceparent": value})
        service.expect_error(answer, 404, f"traceparent: {value}")
        got = answer.member("trace_id")
        service.claim(f"traceparent {value}: a new trace_id, not {got}", got not in {TRACE, "0" * 32}, answer)
    seen = {service.get("/nope").member("trace_id") for _ in range(5)}
    service.claim("each request has a trace of its own", len(seen) == 5)


@check(orders=False)
def cors_is_closed(service: Service) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    for target in ("/healthz", "/openapi.json", "/v1/orders", "/nope"):
        for about, answer in (
            ("GET", service.get(target, headers=origin)),
            ("preflight", service.call("OPTIONS", target, who={}, headers=asked)),
            ("null", service.get(target, headers={"Origin": "null"})),
        ):
            opened = [name for name, _ in answer.headers if name.startswith("access-control-allow")]
            service.claim(f"{about} {target}: nothing is allowed to other origins, not {opened}", not opened, answer)
            service.claim(f"{about} {target}: an answer", answer.status < 500, answer)


@check(orders=False)
def a_strange_host_never_breaks_the_service(service: Service) -> None:
    for host in (
        "evil.example",
        "a b",
        "<script>",
        "",
        "localhost:99999",
        "[::1",
        "a" * 5000,
        "a,b",
        "user@host",
        "\N{GRINNING FACE}",
        None,
    ):
        for target in ("/healthz", "/nope", "/docs"):
            answer = service.raw("GET", target, host=host)
            shown = repr(host)[:40]
            # Which hosts are trusted is a setting; a server may refuse what is no host at all (RFC 9112, 3.2).
            service.claim(f"Host {shown}, {target}: {answer.status}", answer.status < 500, answer)
            service.claim(
                f"Host {shown} is not repeated in the page", b"<script>" not in answer.body or target == "/docs", answer
            )
    twice = service.raw("GET", "/healthz", ("Host", "other"))
    service.expect(twice, {200, 400}, "two Hosts")


@check(orders=False)
def a_balancer_may_ask_without_a_host(service: Service) -> None:
    for target, old, new in (("/healthz", 200, 400), ("/readyz", 200, 400), ("/nope", 400, 400)):
        service.expect(service.raw("GET", target, host=None, version="1.0"), old, f"{target} with HTTP/1.0")
        # RFC 9112, 3.2.
        service.expect(service.raw("GET", target, host=None), new, f"{target} with HTTP/1.1")


@check()
def a_location_does_not_follow_a_strange_host(service: Service) -> None:
    order = an_order()
    fields = (*service.credentials.alice.items(), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "ftp"))
    body = str(order).replace("'", '"').encode()
    answer = service.raw("POST", ORDERS, *fields, *JSON.items(), body=body)
    service.expect_order(answer, 201)
    location = answer.header("location") or ""
    service.claim(f"an untrusted X-Forwarded-Host is not believed: {location}", "evil" not in location, answer)
    service.claim(f"nor its protocol: {location}", not location.startswith("ftp"), answer)
