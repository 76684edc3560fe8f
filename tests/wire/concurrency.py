"""Sections 2, 5 and 12: many callers at once, of whom exactly one wins."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from .lists import ids, walk
from .registry import check
from .samples import an_email, an_item, an_order, listing, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answers import Answer
    from .service import Service

ORDERS = "/v1/orders"
THREADS = 8


def at_once(call: Callable[[int], Answer], times: int = THREADS) -> list[Answer]:
    """Return the answers to calls that start together."""
    barrier = Barrier(times)

    def together(number: int) -> Answer:
        barrier.wait(timeout=30)
        return call(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(together, range(times)))


def expect_one_winner(service: Service, answers: list[Answer], won: int, lost: int, about: str) -> None:
    """Expect one answer with the first status and the second from all others."""
    seen = Counter(answer.status for answer in answers)
    fact = f"{about}: one {won} and {THREADS - 1} times {lost}, not {dict(seen)}"
    strange = [answer for answer in answers if answer.status not in {won, lost}][:2]
    service.claim(fact, seen == {won: 1, lost: THREADS - 1}, *strange)
    for answer in answers:
        if answer.status == lost:
            service.expect_error(answer, lost, about)


@check()
def one_of_many_equal_transitions_wins(service: Service) -> None:
    for _ in range(3):
        path = f"{ORDERS}/{service.create()['id']}"
        for action in ("submit", "pay", "ship"):
            answers = at_once(lambda _, target=f"{path}/{action}": service.post(target))
            expect_one_winner(service, answers, 200, 409, action)


@check()
def one_of_two_last_transitions_wins(service: Service) -> None:
    for _ in range(3):
        path = f"{ORDERS}/{service.create()['id']}"
        for action in ("submit", "pay"):
            service.needed(service.post(f"{path}/{action}"), 200)
        answers = at_once(lambda number, path=path: service.post(f"{path}/{('ship', 'cancel')[number % 2]}"))
        expect_one_winner(service, answers, 200, 409, "ship and cancel")
        won = [answer.json()["status"] for answer in answers if answer.status == 200]
        service.claim(f"the order is what the winner was told, {won}", [service.get(path).json()["status"]] == won)


@check()
def one_of_many_creations_with_one_reference_wins(service: Service) -> None:
    for _ in range(3):
        order = an_order()
        answers = at_once(lambda _, order=order: service.post(ORDERS, json=order))
        expect_one_winner(service, answers, 201, 409, "create")
        found = service.page(listing(reference=order["reference"]))["data"]
        service.claim(f"one order is there, not {len(found)}", len(found) == 1)


@check()
def one_of_many_changes_to_one_version_wins(service: Service) -> None:
    for _ in range(3):
        path = f"{ORDERS}/{service.create()['id']}"
        tag = {"If-Match": service.get(path).header("etag") or ""}
        answers = at_once(lambda n, path=path, tag=tag: service.patch(path, json={"note": str(n)}, headers=tag))
        expect_one_winner(service, answers, 200, 412, "PATCH")
        tag = {"If-Match": service.get(path).header("etag") or ""}
        answers = at_once(lambda _, path=path, tag=tag: service.put(path, json=an_order(), headers=tag))
        expect_one_winner(service, answers, 200, 412, "PUT")


@check()
def one_of_many_deletions_wins(service: Service) -> None:
    path = f"{ORDERS}/{service.create()['id']}"
    expect_one_winner(service, at_once(lambda _: service.delete(path)), 204, 404, "DELETE")


@check()
def one_of_many_renamings_to_one_reference_wins(service: Service) -> None:
    made, reference = service.create_many(THREADS), unique()
    answers = at_once(lambda n: service.patch(f"{ORDERS}/{made[n]['id']}", json={"reference": reference}))
    expect_one_winner(service, answers, 200, 409, "PATCH of the reference")


@check()
def many_creations_all_arrive(service: Service) -> None:
    email = an_email()
    answers = at_once(lambda _: service.post(ORDERS, json=an_order(customer_email=email)), 16)
    for answer in answers:
        service.expect_order(answer, 201, "one of sixteen")
    made = {answer.member("id") for answer in answers}
    walked = ids(walk(service, listing(customer_email=email, limit=3)))
    service.claim("each is listed once", len(walked) == len(made) and set(walked) == made)


@check()
def replacements_without_a_tag_never_mix(service: Service) -> None:
    path = f"{ORDERS}/{service.create()['id']}"
    bodies = [
        an_order(items=[an_item(sku=f"{n}-{each}", quantity=n + 1) for each in range(n + 1)]) for n in range(THREADS)
    ]
    answers = at_once(lambda n: service.put(path, json=bodies[n]))
    for answer in answers:
        service.expect_order(answer, 200, "PUT")
    final = service.get(path)
    service.expect_order(final)
    order = final.json()
    sent = next((body for body in bodies if body["reference"] == order["reference"]), {"items": []})
    left, right = ([item["sku"] for item in each["items"]] for each in (order, sent))
    service.claim("the order is one of those sent, whole", left == right, final)


@check()
def an_order_keeps_its_items_once_it_is_submitted(service: Service) -> None:
    for _ in range(3):
        path = f"{ORDERS}/{service.create()['id']}"
        items = {"items": [an_item(sku="late")]}
        answers = at_once(lambda n, path=path, items=items: edit_or_submit(service, path, items, n))
        for number, answer in enumerate(answers):
            service.expect(answer, {200, 409}, "submit" if number % 2 else "PATCH")
        shown = service.get(path)
        service.expect_order(shown)
        late = [answer for answer in answers[::2] if answer.status == 200 and answer.json()["status"] != "draft"]
        service.claim("no edit has passed a submission", not late, *late)


def edit_or_submit(service: Service, path: str, items: object, number: int) -> Answer:
    """Return the answer to an edit for even numbers and to a submission for odd ones."""
    return service.post(f"{path}/submit") if number % 2 else service.patch(path, json=items)


@check()
def reads_go_on_while_others_write(service: Service) -> None:
    path = f"{ORDERS}/{service.create()['id']}"

    def read_or_write(number: int) -> Answer:
        return service.patch(path, json={"note": str(number)}) if number % 2 else service.get(path)

    for answer in at_once(read_or_write, 16):
        service.expect_order(answer, 200, "a read or a write among others")
