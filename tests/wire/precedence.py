"""Section 12: the order of checks, shown by requests with two things wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import check
from .samples import UNKNOWN_ID, an_order, listing

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
HTML = {"Accept": "text/html"}
NO_ONE: dict[str, str] = {}


@check()
def a_wrong_method_comes_before_everything(service: Service) -> None:
    path = f"{ORDERS}/{UNKNOWN_ID}"
    for about, answer in (
        ("text/plain", service.post(path, content=b"x", headers=TEXT)),
        ("an unacceptable Accept", service.post(path, headers=HTML)),
        ("malformed JSON", service.post(path, content=b"{", headers=JSON)),
        ("no credentials", service.post(path, who=NO_ONE)),
        ("an id that is no UUID", service.post(f"{ORDERS}/abc")),
        ("an unknown parameter", service.delete(f"{ORDERS}?nope=1")),
        ("all of these", service.post(f"{ORDERS}/abc?nope=1", who=NO_ONE, content=b"{", headers={**TEXT, **HTML})),
    ):
        service.expect_error(answer, 405, about)


@check()
def a_wrong_media_type_comes_before_the_body_and_the_order(service: Service) -> None:
    for about, answer in (
        ("malformed JSON", service.post(ORDERS, content=b"{", headers=TEXT)),
        ("an unknown order", service.patch(f"{ORDERS}/{UNKNOWN_ID}", content=b"{}", headers=TEXT)),
        ("an id that is no UUID", service.patch(f"{ORDERS}/abc", content=b"{}", headers=TEXT)),
        ("an unknown parameter", service.post(f"{ORDERS}?nope=1", content=b"{}", headers=TEXT)),
    ):
        service.expect_error(answer, 415, about)
    for about, answer in (
        ("malformed JSON", service.post(ORDERS, content=b"{", headers={**JSON, **HTML})),
        ("an unknown order", service.get(f"{ORDERS}/{UNKNOWN_ID}", headers=HTML)),
        ("a bad limit", service.get(listing(limit=0), headers=HTML)),
    ):
        service.expect_error(answer, 406, about)
    both = service.post(ORDERS, content=b"x", headers={**TEXT, **HTML})
    service.expect_error(both, {406, 415}, "both media types wrong")


@check(auth="any")
def a_wrong_media_type_comes_before_the_credentials(service: Service) -> None:
    for about, answer in (
        ("text/plain", service.post(ORDERS, who=NO_ONE, content=b"x", headers=TEXT)),
        ("no Content-Type", service.raw("POST", ORDERS, body=b"{}")),
        ("gzip", service.post(ORDERS, who=NO_ONE, content=b"x", headers={**JSON, "Content-Encoding": "gzip"})),
        ("reader, text/plain", service.post(ORDERS, who=service.credentials.reader, content=b"x", headers=TEXT)),
    ):
        service.expect_error(answer, 415, about)
    for about, who in (("no credentials", NO_ONE), ("no scope", service.credentials.nobody)):
        service.expect_error(service.get(ORDERS, who=who, headers=HTML), 406, about)


@check(auth="any")
def missing_credentials_come_before_the_rest(service: Service) -> None:
    one = f"{ORDERS}/{UNKNOWN_ID}"
    for about, answer in (
        ("malformed JSON", service.post(ORDERS, who=NO_ONE, content=b"{", headers=JSON)),
        ("an empty body", service.post(ORDERS, who=NO_ONE, headers=JSON)),
        ("an invalid order", service.post(ORDERS, who=NO_ONE, json={"nope": 1})),
        ("a bad limit", service.get(listing(limit=0), who=NO_ONE)),
        ("an unknown parameter", service.get(listing(nope=1), who=NO_ONE)),
        ("a forged cursor", service.get(listing(cursor="x"), who=NO_ONE)),
        ("an id that is no UUID", service.get(f"{ORDERS}/abc", who=NO_ONE)),
        ("an unknown order", service.get(one, who=NO_ONE)),
        ("a stale tag", service.delete(one, who=NO_ONE, headers={"If-Match": '"x"'})),
        ("a transition", service.post(f"{one}/submit", who=NO_ONE)),
    ):
        service.expect_error(answer, 401, about)
    # Whether the size of a body is among the limits that come after 401 is left open.
    large = (("Content-Type", "application/json"), ("Content-Length", str(2**24)))
    service.expect_error(service.raw("POST", ORDERS, *large), {401, 413}, "a large body")


@check(auth="any")
def a_missing_scope_comes_before_the_rest(service: Service) -> None:
    reader, nobody = service.credentials.reader, service.credentials.nobody
    one = f"{ORDERS}/{UNKNOWN_ID}"
    for about, answer in (
        ("malformed JSON", service.post(ORDERS, who=reader, content=b"{", headers=JSON)),
        ("an invalid order", service.post(ORDERS, who=reader, json={})),
        ("PATCH with malformed JSON", service.patch(one, who=reader, content=b"{", headers=JSON)),
        ("PUT of an unknown order", service.put(one, who=reader, json=an_order())),
        ("DELETE of what is no UUID", service.delete(f"{ORDERS}/abc", who=reader)),
        ("a transition of an unknown order", service.post(f"{one}/submit", who=reader)),
        ("a bad limit", service.get(listing(limit=0), who=nobody)),
        ("an unknown parameter", service.get(listing(nope=1), who=nobody)),
        ("a forged cursor", service.get(listing(cursor="x"), who=nobody)),
        ("an unknown order", service.get(one, who=nobody)),
        ("what is no UUID", service.get(f"{ORDERS}/abc", who=nobody)),
    ):
        service.expect_error(answer, 403, about)


@check()
def validation_comes_before_existence(service: Service) -> None:
    one = f"{ORDERS}/{UNKNOWN_ID}"
    service.expect_error(service.patch(one, content=b"{", headers=JSON), 400, "malformed, unknown order")
    service.expect_error(service.patch(one, json={"currency": "ZZZ"}), 422, "invalid, unknown order")
    service.expect_error(service.put(one, json={}), 422, "incomplete, unknown order")
    service.expect_error(service.get(f"{one}?nope=1"), 422, "unknown parameter, unknown order", field="nope")
    service.expect_error(service.patch(f"{ORDERS}/abc", content=b"{", headers=JSON), {400, 422}, "malformed, no UUID")


@check()
def existence_and_validation_come_before_conflicts(service: Service) -> None:
    stale = {"If-Match": '"stale"'}
    taken, path = service.create(), f"{ORDERS}/{service.create()['id']}"
    one = f"{ORDERS}/{UNKNOWN_ID}"
    service.expect_error(service.delete(one, headers=stale), 404, "a stale tag, unknown order")
    service.expect_error(
        service.patch(one, json={"note": "x"}, headers={"If-Match": "*"}), 404, "any tag, unknown order"
    )
    service.expect_error(service.patch(path, json={"currency": "ZZZ"}, headers=stale), 422, "a stale tag, invalid")
    service.expect_error(service.patch(path, content=b"{", headers={**JSON, **stale}), 400, "a stale tag, malformed")
    bad = an_order(reference=taken["reference"], currency="ZZZ")
    service.expect_error(service.post(ORDERS, json=bad), 422, "a taken reference, invalid")
    both = service.patch(path, json={"reference": taken["reference"]}, headers=stale)
    service.expect_error(both, {409, 412}, "a stale tag and a taken reference")
    service.expect_error(service.post(f"{path}/ship", headers=stale), {409, 412}, "a stale tag and a wrong transition")
