"""Sections 1, 2, 11 and 12: what POST, PUT and PATCH make of an order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from uuid import UUID

from .registry import check
from .samples import UNKNOWN_ID, an_email, an_item, an_order, unique, without
from .shapes import order_problems

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"


@check()
def a_created_order_is_what_was_sent(service: Service) -> None:
    sent = an_order(note="n", items=[an_item(), an_item(sku="b", quantity=3, unit_price="0.05")])
    answer = service.post(ORDERS, json=sent)
    service.expect_order(answer, 201)
    body = answer.json()
    for name in ("reference", "customer_email", "currency", "note"):
        service.claim(f"{name} is kept", body.get(name) == sent[name], answer)
    expected = {"status": "draft", "total": "39.95"}
    service.claim(f"it begins as {expected}", expected.items() <= body.items(), answer)
    service.claim(
        "it was not updated before it was created", body.get("updated_at", "") >= body.get("created_at", "z"), answer
    )
    read = service.get(f"{ORDERS}/{body.get('id')}")
    service.claim("the next read says the same, to the microsecond", read.json() == body, answer, read)


@check()
def the_location_of_a_created_order_resolves(service: Service) -> None:
    answer = service.post(ORDERS, json=an_order())
    service.expect_order(answer, 201)
    location = answer.header("location") or ""
    target = urljoin(f"{service.base_url}{ORDERS}", location)
    service.claim(f"Location {location!r} leads back to the service", target.startswith(service.base_url), answer)
    read = service.get(target.removeprefix(service.base_url))
    service.expect_order(read, 200)
    service.claim("to the order itself", read.json() == answer.json(), answer, read)


@check()
def ids_and_times_are_made_now(service: Service) -> None:
    before = datetime.now(UTC)
    order = service.create()
    created = datetime.fromisoformat(order["created_at"])
    milliseconds = UUID(order["id"]).int >> 80
    # Another machine's clock may differ a little.
    service.claim(f"created_at {created} is now, {before}", abs(created - before) < timedelta(minutes=2))
    made = datetime.fromtimestamp(milliseconds / 1000, UTC)
    service.claim(f"the id's time {made} is created_at, {created}", abs(made - created) < timedelta(seconds=2))


@check()
def put_replaces_the_whole_order(service: Service) -> None:
    before = service.create(note="gone", items=[an_item(sku="old"), an_item(sku="older")])
    sent = an_order(items=[an_item(sku="new", quantity=1, unit_price="5")], currency="USD")
    answer = service.put(f"{ORDERS}/{before['id']}", json=sent)
    service.expect_order(answer, 200)
    after = answer.json()
    expected = {name: sent[name] for name in ("reference", "customer_email", "currency")} | {
        "note": None,
        "total": "5.00",
    }
    service.claim(f"it is {expected}", expected.items() <= after.items(), answer)
    service.claim("its items are the new ones", [item["sku"] for item in after["items"]] == ["new"], answer)
    for name in ("id", "owner", "status", "created_at"):
        service.claim(f"{name} stays", after[name] == before[name], answer)
    service.claim("updated_at moves on", after["updated_at"] > before["updated_at"], answer)
    service.claim("the next read says the same", service.read(before["id"]) == after)


@check()
def put_takes_nothing_less_and_creates_nothing(service: Service) -> None:
    path = f"{ORDERS}/{service.create()['id']}"
    for name in ("reference", "customer_email", "currency", "items"):
        service.expect_error(service.put(path, json=without(an_order(), name)), 422, f"without {name}", field=name)
    service.expect_error(service.put(path, json=an_order(status="paid")), 422, "with a status", field="status")
    service.expect_error(service.put(f"{ORDERS}/{UNKNOWN_ID}", json=an_order()), 404, "unknown")


@check()
def patch_changes_the_fields_sent(service: Service) -> None:
    order = service.create(note="n")
    path = f"{ORDERS}/{order['id']}"
    for change in (
        {"reference": unique()},
        {"customer_email": an_email()},
        {"currency": "USD"},
        {"note": "another"},
        {"note": None},
        {"reference": unique(), "note": "two at once"},
    ):
        answer = service.patch(path, json=change)
        service.expect_order(answer, 200, f"PATCH {change}")
        after = answer.json()
        service.claim("only that changes", after == {**order, **change, "updated_at": after["updated_at"]}, answer)
        service.claim("the next read says the same", service.read(order["id"]) == after, answer)
        order = after


@check()
def patched_items_replace_the_old_and_the_total_follows(service: Service) -> None:
    order = service.create(items=[an_item(sku="a"), an_item(sku="b")])
    answer = service.patch(f"{ORDERS}/{order['id']}", json={"items": [an_item(sku="c", quantity=3, unit_price="1.10")]})
    service.expect_order(answer, 200)
    body = answer.json()
    service.claim("the items are the new ones", [item["sku"] for item in body["items"]] == ["c"], answer)
    service.claim("the total is the service's", body["total"] == "3.30", answer)
    service.claim("the next read says the same", service.read(order["id"]) == body)


@check()
def null_is_422_where_it_may_not_be(service: Service) -> None:
    order = service.create(note="n")
    for name in ("reference", "customer_email", "currency", "items"):
        answer = service.patch(f"{ORDERS}/{order['id']}", json={name: None})
        service.expect_error(answer, 422, f"PATCH {name}: null", field=name)
        answer = service.patch(f"{ORDERS}/{order['id']}", json={name: None, "note": "lost"})
        service.expect_error(answer, 422, f"PATCH {name}: null and a note", field=name)
    service.claim("the order is untouched", service.read(order["id"]) == order)


@check()
def an_empty_patch_changes_nothing(service: Service) -> None:
    order = service.create()
    path = f"{ORDERS}/{order['id']}"
    before = service.get(path)
    answer = service.patch(path, json={})
    service.expect_order(answer, 200)
    after = service.get(path)
    service.claim("the same order, updated_at too", answer.json() == before.json() == after.json(), before, answer)
    service.claim("the same tag", before.header("etag") == after.header("etag"), before, after)


@check()
def a_patch_is_validated_like_a_creation(service: Service) -> None:
    order = service.create()
    for change in (
        {"reference": ""},
        {"reference": "x" * 65},
        {"reference": "a\0b"},
        {"note": "x" * 501},
        {"note": "\x1b"},
        {"currency": "ZZZ"},
        {"customer_email": "ann"},
        {"items": []},
        {"items": [an_item()] * 101},
        {"items": [an_item(quantity=True)]},
        {"items": [an_item(unit_price=1.5)]},
        {"items": [{}]},
    ):
        name = next(iter(change))
        answer = service.patch(f"{ORDERS}/{order['id']}", json={"note": "lost", **change})
        service.expect_error(answer, 422, f"PATCH {str(change)[:60]}", field=name)
        answer = service.put(f"{ORDERS}/{order['id']}", json=an_order(**change))
        service.expect_error(answer, 422, f"PUT {str(change)[:60]}", field=name)
    service.claim("the order is untouched", service.read(order["id"]) == order)


@check()
def every_wrong_field_is_named_at_once(service: Service) -> None:
    answer = service.post(
        ORDERS, json=an_order(currency="ZZZ", customer_email="ann", items=[an_item(quantity=0)], extra=1)
    )
    for name in ("currency", "customer_email", "quantity", "extra"):
        service.expect_error(answer, 422, name, field=name)


@check()
def a_204_says_nothing(service: Service) -> None:
    order = service.create()
    answer = service.raw("DELETE", f"{ORDERS}/{order['id']}", *service.credentials.alice.items())
    service.expect(answer, 204)
    # RFC 9110, 8.6: no Content-Length in a 204.
    for name in ("content-length", "transfer-encoding"):
        service.claim(f"204 has no {name}", answer.header(name) is None, answer)
    # A type of what is not there is left open; a framework's own default is not.
    service.claim("204 is of no type, or JSON", answer.media_type in {"", "application/json"}, answer)


@check()
def the_whole_life_of_an_order(service: Service) -> None:
    order = service.create()
    path = f"{ORDERS}/{order['id']}"
    for action, status in (("submit", "submitted"), ("pay", "paid"), ("ship", "shipped")):
        answer = service.post(f"{path}/{action}")
        service.expect_order(answer, 200, action)
        service.claim(status, answer.member("status") == status, answer)
    final = service.get(path)
    service.expect_none(final, order_problems(final.json()))
    service.claim("its items are those of the beginning", final.json()["items"] == order["items"], final)
