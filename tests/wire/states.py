"""Sections 2 and 12: the state machine, and what each state still lets one change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import check
from .samples import an_email, an_item, an_order, unique

if TYPE_CHECKING:
    from .answers import Answer
    from .service import Service

ORDERS = "/v1/orders"
TARGETS = {"submit": "submitted", "pay": "paid", "ship": "shipped", "cancel": "cancelled"}
ALLOWED = {
    "draft": ("submitted", "cancelled"),
    "submitted": ("paid", "cancelled"),
    "paid": ("shipped", "cancelled"),
    "shipped": (),
    "cancelled": (),
}
WAY_TO = {
    "draft": (),
    "submitted": ("submit",),
    "paid": ("submit", "pay"),
    "shipped": ("submit", "pay", "ship"),
    "cancelled": ("cancel",),
}
EDITS = (
    {"reference": "new"},
    {"customer_email": an_email()},
    {"currency": "USD"},
    {"items": [an_item(quantity=9)]},
    {"note": "lost", "currency": "USD"},
)


def path_in(service: Service, status: str, **changes: object) -> str:
    """Return the path of a new order in this state."""
    path = f"{ORDERS}/{service.create_many(1, **changes)[0]['id']}"
    for action in WAY_TO[status]:
        service.needed(service.post(f"{path}/{action}"), 200)
    return path


def expect_refused_transition(service: Service, answer: Answer, status: str, target: str) -> None:
    """Expect 409 with from, to and what is allowed, as section 12 writes it."""
    about = f"{status} -> {target}"
    service.expect_error(answer, 409, about, code="invalid_transition")
    if answer.status != 409:
        return
    details = answer.member("details") or [{}]
    entry = details[0]
    named = (entry.get("field"), entry.get("code")) == ("status", "invalid_transition")
    service.claim(f"{about}: the detail is about the status", named and len(details) == 1, answer)
    expected = f"{about}; allowed: {', '.join(ALLOWED[status])}"
    message = str(entry.get("message"))
    # How "none" is written for a last state is left open.
    right = message == expected if ALLOWED[status] else message.startswith(expected.rstrip())
    service.claim(f"the detail's message is {expected!r}", right, answer)


@check()
def every_transition_is_allowed_or_409(service: Service) -> None:
    for status, following in ALLOWED.items():
        for action, target in TARGETS.items():
            path = path_in(service, status)
            before = service.get(path)
            answer = service.post(f"{path}/{action}")
            if target in following:
                service.expect_order(answer, 200, f"{status} -> {target}")
                after = answer.json()
                service.claim(f"the status is {target}", after.get("status") == target, answer)
                same = {name: value for name, value in after.items() if name not in {"status", "updated_at"}}
                service.claim("nothing else changes", same.items() <= before.json().items(), before, answer)
                service.claim("the next read says the same", service.get(path).json() == after, answer)
            else:
                expect_refused_transition(service, answer, status, target)
                service.claim("a refused transition changes nothing", service.get(path).body == before.body, answer)


@check()
def a_transition_moves_updated_at_alone(service: Service) -> None:
    order = service.create()
    after = service.needed(service.post(f"{ORDERS}/{order['id']}/submit"), 200)
    service.claim("created_at stays", after["created_at"] == order["created_at"])
    service.claim(f"updated_at moves on from {order['updated_at']}", after["updated_at"] > order["updated_at"])


@check()
def only_drafts_and_cancelled_orders_can_be_deleted(service: Service) -> None:
    for status in ALLOWED:
        path = path_in(service, status)
        answer = service.delete(path)
        if status in {"draft", "cancelled"}:
            service.expect(answer, 204, status)
            service.claim("204 is empty", answer.body == b"", answer)
        else:
            service.expect_error(answer, 409, f"delete {status}")
            service.expect_order(service.get(path), 200, "still there")


@check()
def a_cancelled_order_is_deletable_from_every_state(service: Service) -> None:
    for status in ("submitted", "paid"):
        path = path_in(service, status)
        service.expect_order(service.post(f"{path}/cancel"), 200, status)
        service.expect(service.delete(path), 204, f"{status}, cancelled")


@check()
def a_deleted_order_is_404_everywhere(service: Service) -> None:
    path = path_in(service, "draft")
    tag = service.get(path).header("etag") or ""
    service.expect(service.delete(path), 204)
    for method in ("GET", "DELETE"):
        service.expect_error(service.call(method, path), 404, method)
    service.expect_error(service.get(path, headers={"If-None-Match": tag}), 404, "GET with its last tag")
    service.expect_error(service.delete(path, headers={"If-Match": tag}), 404, "DELETE with its last tag")
    service.expect_error(service.put(path, json=an_order()), 404, "PUT")
    for body in ({}, {"note": "x"}):
        service.expect_error(service.patch(path, json=body), 404, f"PATCH {body}")
    for action in TARGETS:
        service.expect_error(service.post(f"{path}/{action}"), 404, action)


@check()
def past_draft_only_the_note_changes(service: Service) -> None:
    for status in ("submitted", "paid", "shipped", "cancelled"):
        path = path_in(service, status, note="first")
        for edit in EDITS:
            answer = service.patch(path, json=edit)
            service.expect_error(answer, 409, f"{status}: PATCH {sorted(edit)}", code="order_not_editable")
        answer = service.put(path, json=an_order(reference=unique()))
        service.expect_error(answer, 409, f"{status}: PUT", code="order_not_editable")
        service.claim("a refused edit changes nothing", service.get(path).json()["note"] == "first")
        for note in ("second", None, ""):
            changed = service.patch(path, json={"note": note})
            service.expect_order(changed, 200, f"{status}: note {note!r}")
            service.claim("the note is changed", changed.member("note") == note, changed)


@check()
def an_empty_patch_past_draft_is_200(service: Service) -> None:
    path = path_in(service, "paid")
    before = service.get(path)
    service.expect_order(service.patch(path, json={}), 200)
    service.claim("nothing has changed", service.get(path).body == before.body)


@check()
def an_invalid_edit_past_draft_is_422_before_409(service: Service) -> None:
    path = path_in(service, "submitted")
    service.expect_error(service.patch(path, json={"currency": "ZZZ"}), 422, "PATCH", field="currency")
    service.expect_error(service.put(path, json={}), 422, "PUT")
    service.expect_error(service.patch(path, json={"status": "paid"}), 422, "PATCH of the status", field="status")


@check()
def a_transition_needs_no_body(service: Service) -> None:
    alice = service.credentials.alice.items()
    order = service.create()
    answer = service.raw("POST", f"{ORDERS}/{order['id']}/submit", *alice, ("Content-Length", "0"))
    service.expect_order(answer, 200, "Content-Length: 0")
    for about, body in (("an object", b"{}"), ("text", b"x"), ("a list", b"[1]")):
        # What a body would mean here is left open, so long as it does no harm.
        path = f"{ORDERS}/{service.create()['id']}/submit"
        service.expect_survival(service.post(path, content=body), about)
        service.expect_survival(service.post(path, content=body, headers={"Content-Type": "application/json"}), about)
