"""Sections 5 and 12: a POST with an idempotency key is carried out once, however often it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .concurrency import at_once
from .registry import check
from .samples import an_order, listing, unique, without

if TYPE_CHECKING:
    from .answers import Answer
    from .service import Service

ORDERS = "/v1/orders"
REPLAYED = "idempotent-replayed"
MALFORMED = ("", "a b", "a\tb", "x" * 256)


def create(service: Service, order: object, key: str) -> Answer:
    return service.post(ORDERS, json=order, headers={"Idempotency-Key": key})


def expect_replay(service: Service, first: Answer, again: Answer, about: str) -> None:
    """Expect that an answer is the first one, in all that matters."""
    service.claim(f"{about}: {again.status} is the first status", again.status == first.status, first, again)
    service.claim(f"{about}: the body is the first one", again.body == first.body, first, again)
    for name in ("location", "etag", "content-type"):
        service.claim(f"{about}: {name} is the first one", again.header(name) == first.header(name), first, again)
    service.claim(f"{about}: the first answer is no replay", first.header(REPLAYED) is None, first)
    service.claim(f"{about}: the second says that it is one", again.header(REPLAYED) == "true", again)
    own = first.header("x-request-id") != again.header("x-request-id")
    service.claim(f"{about}: each answer has an id of its own", own, first, again)


@check()
def a_creation_is_carried_out_once(service: Service) -> None:
    order, key = an_order(), unique()
    first = create(service, order, key)
    service.expect_order(first, 201)
    for number in range(3):
        expect_replay(service, first, create(service, order, key), f"sent again, {number}")
    found = service.page(listing(reference=order["reference"]))["data"]
    service.claim(f"one order is there, not {len(found)}", len(found) == 1)


@check()
def each_action_is_carried_out_once(service: Service) -> None:
    path = f"{ORDERS}/{service.create()['id']}"
    for action in ("submit", "pay", "ship"):
        key = {"Idempotency-Key": unique()}
        first = service.post(f"{path}/{action}", headers=key)
        service.expect_order(first, 200, action)
        expect_replay(service, first, service.post(f"{path}/{action}", headers=key), action)


@check()
def a_refusal_that_was_looked_up_is_kept(service: Service) -> None:
    order, key = an_order(), unique()
    made = service.create(**order)
    first = create(service, order, key)
    service.expect_error(first, 409, "taken")
    service.expect(service.delete(f"{ORDERS}/{made['id']}"), 204)
    expect_replay(service, first, create(service, order, key), "409")
    nowhere = f"{ORDERS}/01890a5d-ac96-774b-bcce-b302099a8057/submit"
    headers = {"Idempotency-Key": unique()}
    expect_replay(service, service.post(nowhere, headers=headers), service.post(nowhere, headers=headers), "404")


@check()
def what_was_never_valid_is_not_kept(service: Service) -> None:
    order, key = an_order(), unique()
    service.expect_error(create(service, without(order, "items"), key), 422, "without items")
    service.expect_error(service.post(ORDERS, content=b"{", headers=_json(key)), 400, "no JSON")
    answer = create(service, order, key)
    service.expect_order(answer, 201, "mended")
    service.claim("it is no replay", answer.header(REPLAYED) is None, answer)


@check()
def a_key_is_for_one_request(service: Service) -> None:
    order, key = an_order(), unique()
    path = f"{ORDERS}/{create(service, order, key).member('id')}"
    others = {
        "another body": create(service, {**order, "note": "other"}, key),
        "another order": create(service, an_order(), key),
        "another route": service.post(f"{path}/submit", headers={"Idempotency-Key": key}),
    }
    for about, answer in others.items():
        service.expect_error(answer, 422, about, code="idempotency_key_reused", field="Idempotency-Key")
    service.claim("the order is still a draft", service.get(path).member("status") == "draft")


@check(auth="any")
def a_key_belongs_to_its_caller(service: Service) -> None:
    order, key = an_order(), unique()
    first = create(service, order, key)
    headers = {"Idempotency-Key": key}
    other = service.post(ORDERS, json=order, headers=headers, who=service.credentials.bob)
    service.expect_order(other, 201, "bob")
    service.claim("bob's order is another", other.member("id") != first.member("id"), first, other)
    for who in ({}, service.credentials.reader):
        answer = service.post(ORDERS, json=order, headers=headers, who=who)
        service.expect_error(answer, 403 if who else 401, "no right to it")
        service.claim("nothing is replayed", answer.header(REPLAYED) is None, answer)


@check()
def a_malformed_key_is_422(service: Service) -> None:
    for key in MALFORMED:
        order = an_order()
        answer = create(service, order, key)
        service.expect_error(answer, 422, repr(key), field="Idempotency-Key")
        found = service.page(listing(reference=order["reference"]))["data"]
        service.claim(f"nothing was made with {key!r}", not found)


@check()
def of_many_at_once_one_is_carried_out(service: Service) -> None:
    for _ in range(3):
        order, key = an_order(), unique()
        answers = at_once(lambda _, order=order, key=key: create(service, order, key))
        carried_out = [each for each in answers if each.status == 201 and each.header(REPLAYED) is None]
        service.claim(f"one is carried out, not {len(carried_out)}", len(carried_out) == 1, *answers[:2])
        for answer in answers:
            if answer.status != 201:
                service.expect_error(answer, 409, "meanwhile", code="idempotency_in_progress")
        made = {answer.body for answer in answers if answer.status == 201}
        service.claim("all have the same answer", len(made) == 1)


@check()
def other_methods_take_no_key(service: Service) -> None:
    path = f"{ORDERS}/{service.create()['id']}"
    headers = {"Idempotency-Key": unique()}
    for note in ("one", "two"):
        answer = service.patch(path, json={"note": note}, headers=headers)
        service.expect_order(answer, 200)
        service.claim("it is carried out each time", answer.member("note") == note, answer)


@check(orders=False, auth="api_key")
def an_answer_with_a_secret_is_not_kept(service: Service) -> None:
    body, headers = {"owner": "alice", "scopes": []}, {"Idempotency-Key": unique()}
    answers = [service.post("/v1/keys", json=body, headers=headers, who=service.credentials.admin) for _ in range(2)]
    for answer in answers:
        service.expect(answer, 201)
    service.claim("there are two keys", answers[0].member("key") != answers[1].member("key"), *answers)
    for answer in answers:
        service.delete(f"/v1/keys/{answer.member('id')}", who=service.credentials.admin)


def _json(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key, "Content-Type": "application/json"}
