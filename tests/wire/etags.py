"""Sections 2, 5 and 12: entity tags and preconditions (RFC 9110, 13)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .registry import check
from .samples import UNKNOWN_ID, an_order
from .service import NOTHING

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"
STRONG = re.compile(r'"[\x21\x23-\x7e]+"\Z')
STALE = '"stale"'


def with_order(service: Service) -> tuple[str, str]:
    """Return the path of a new order and its entity tag."""
    path = f"{ORDERS}/{service.create()['id']}"
    return path, service.etag(path.rpartition("/")[2])


@check()
def an_etag_is_strong_and_follows_every_change(service: Service) -> None:
    path, tag = with_order(service)
    service.claim(f"{tag} is a strong tag", STRONG.match(tag))
    service.claim("two reads have one tag", service.get(path).header("etag") == tag)
    seen = [tag]
    for number in range(6):
        changed = service.patch(path, json={"note": str(number)})
        service.expect_order(changed)
        seen.append(service.get(path).header("etag") or "")
        # Whether an answer to a change carries the tag is left open; a wrong one is not.
        service.claim(
            "the tag of the change is the tag of the next read", changed.header("etag") in {None, seen[-1]}, changed
        )
    for action in ("submit", "pay"):
        changed = service.post(f"{path}/{action}")
        seen.append(service.get(path).header("etag") or "")
        service.claim(
            "the tag of the transition is that of the next read", changed.header("etag") in {None, seen[-1]}, changed
        )
    service.claim(f"each version has a tag of its own: {seen}", len(set(seen)) == len(seen))


@check()
def the_tag_of_a_creation_is_that_of_the_first_read(service: Service) -> None:
    made = service.post(ORDERS, json=an_order())
    service.expect_order(made, 201)
    read = service.get(f"{ORDERS}/{made.member('id')}")
    service.claim("the same tag, or none", made.header("etag") in {None, read.header("etag")}, made, read)
    service.claim("the same body", made.json() == read.json(), made, read)


@check()
def if_none_match_answers_304(service: Service) -> None:
    path, tag = with_order(service)
    for value in (
        tag,
        f"W/{tag}",
        "*",
        f'"a", {tag}',
        f'{tag},"b"',
        f'W/"x" , W/{tag}, "y"',
        f'"a,b",{tag}',
        f'"", {tag}',
    ):
        answer = service.get(path, headers={"If-None-Match": value})
        service.expect(answer, 304, f"If-None-Match: {value}")
        service.claim("304 has no body", answer.body == b"", answer)
        service.claim("304 has the tag (RFC 9110, 15.4.5)", answer.header("etag") == tag, answer)
        service.claim("304 says nothing of another type", answer.media_type in {"", "application/json"}, answer)
    service.expect(service.call("HEAD", path, headers={"If-None-Match": tag}), 304, "HEAD")
    lines = (("If-None-Match", '"a"'), ("If-None-Match", tag))
    service.expect(service.raw("GET", path, *service.credentials.alice.items(), *lines), 304, "on two lines")


@check()
def if_none_match_answers_200_for_other_tags(service: Service) -> None:
    path, tag = with_order(service)
    for value in (STALE, f"W/{STALE}", '""', f'"{tag[1:-1]}x"', f'"{tag[1:-1].swapcase()}!"', '"a", "b"'):
        service.expect_order(service.get(path, headers={"If-None-Match": value}), 200, f"If-None-Match: {value}")
    for value in (tag.strip('"'), "", '"', "w/" + tag, ",", "garbage garbage"):
        # Not a list of tags: it may be ignored, or refused.
        service.expect(service.get(path, headers={"If-None-Match": value}), {200, 304, 400}, f"If-None-Match: {value}")
    for order_id in (UNKNOWN_ID,):
        service.expect_error(service.get(f"{ORDERS}/{order_id}", headers={"If-None-Match": "*"}), 404, "unknown")


@check()
def if_match_lets_the_current_tag_through(service: Service) -> None:
    path, _ = with_order(service)
    for form in ("{}", "*", '"a", {}', '{},"b"', '"a,b", {}'):
        value = form.format(service.get(path).header("etag"))
        service.expect_order(
            service.patch(path, json={"note": form}, headers={"If-Match": value}), 200, f"If-Match: {value}"
        )
    tag = service.get(path).header("etag") or ""
    service.expect_order(service.put(path, json=an_order(), headers={"If-Match": tag}), 200, "PUT")
    tag = service.get(path).header("etag") or ""
    service.expect_order(service.post(f"{path}/cancel", headers={"If-Match": tag}), 200, "cancel")
    tag = service.get(path).header("etag") or ""
    service.expect(service.delete(path, headers={"If-Match": tag}), 204, "DELETE")


@check()
def if_match_with_a_stale_or_weak_tag_is_412(service: Service) -> None:
    path, tag = with_order(service)
    before = service.get(path)
    for value in (STALE, f"W/{tag}", '"a", "b"', f'"{tag[1:-1]}x"', '""', f'W/{tag}, "a"'):
        for method, target, body in (
            ("PATCH", path, {"note": "lost"}),
            ("PATCH", path, {}),
            ("PUT", path, an_order()),
            ("POST", f"{path}/submit", NOTHING),
            ("POST", f"{path}/cancel", NOTHING),
            ("DELETE", path, NOTHING),
        ):
            answer = service.call(method, target, headers={"If-Match": value}, json=body)
            service.expect_error(answer, 412, f"{method} {target.rpartition('/')[2]} If-Match: {value}")
    after = service.get(path)
    service.claim(
        "nothing has changed", (before.body, before.header("etag")) == (after.body, after.header("etag")), after
    )


@check()
def if_match_that_is_no_tag_lets_nothing_through(service: Service) -> None:
    for form in ("{0}", "garbage", '"', 'w/"{0}"', '"{0}', 'x "{0}"', '"{0}" x', '"a""{0}"', 'W/ "{0}"', '"a" "{0}"'):
        path, tag = with_order(service)
        value = form.format(tag.strip('"'))
        answer = service.patch(path, json={"note": "lost"}, headers={"If-Match": value})
        service.expect_error(answer, {400, 412}, f"If-Match: {value}")


@check()
def a_list_of_tags_may_stand_on_two_lines(service: Service) -> None:
    path, tag = with_order(service)
    fields = (*service.credentials.alice.items(), ("Content-Type", "application/json"))
    for lines in ((("If-Match", '"a"'), ("If-Match", tag)), (("If-Match", tag), ("If-Match", '"a"'))):
        service.expect_order(service.raw("PATCH", path, *fields, *lines, body=b"{}"), 200, f"{lines}")


@check()
def a_change_with_if_none_match_any_is_412(service: Service) -> None:
    # RFC 9110, 13.1.2: for methods other than GET and HEAD a match means 412.
    path, tag = with_order(service)
    for value in ("*", tag, f"W/{tag}"):
        answer = service.patch(path, json={"note": "lost"}, headers={"If-None-Match": value})
        service.expect_error(answer, 412, f"PATCH If-None-Match: {value}")
        answer = service.put(path, json=an_order(), headers={"If-None-Match": value})
        service.expect_error(answer, 412, f"PUT If-None-Match: {value}")
    service.expect_order(service.patch(path, json={"note": "x"}, headers={"If-None-Match": STALE}), 200, "another tag")


@check()
def a_tag_once_current_is_stale_after_a_change(service: Service) -> None:
    path, tag = with_order(service)
    service.expect_order(service.patch(path, json={"note": "a"}, headers={"If-Match": tag}), 200)
    service.expect_error(service.patch(path, json={"note": "b"}, headers={"If-Match": tag}), 412, "PATCH")
    service.expect_error(service.delete(path, headers={"If-Match": tag}), 412, "DELETE")
    service.expect_order(service.get(path, headers={"If-None-Match": tag}), 200, "GET")
    current = service.get(path)
    service.claim("the first change stands", current.member("note") == "a", current)


@check()
def preconditions_are_optional(service: Service) -> None:
    path, _ = with_order(service)
    service.expect_order(service.patch(path, json={"note": "a"}), 200, "PATCH")
    service.expect_order(service.put(path, json=an_order()), 200, "PUT")
    service.expect_order(service.post(f"{path}/cancel"), 200, "cancel")
    service.expect(service.delete(path), 204, "DELETE")
