from collections.abc import Callable
from contextvars import copy_context

import pytest

from app.core import context
from app.core.context import RequestContext
from app.core.errors import Unavailable
from app.http.thread_queue import ThreadQueue
from tests.metrics import value_of

_WAITING, _REFUSED = "thread_queue_requests_waiting", "thread_queue_refused_total"


def as_request(*functions: Callable[[], object]) -> None:
    """Call `functions` one after the other, as one new request."""

    def request() -> None:
        context.enter(RequestContext("id", "0" * 32, "GET", "/"))
        for function in functions:
            function()

    copy_context().run(request)


class TestQueue:
    def test_requests_that_find_it_full_are_refused(self) -> None:
        queue, refused, waiting = ThreadQueue(2, 1), value_of(_REFUSED), value_of(_WAITING)
        for _ in range(3):
            as_request(queue.enter)
        with pytest.raises(Unavailable) as refusal:
            as_request(queue.enter)

        assert int(refusal.value.headers["Retry-After"]) > 0
        assert value_of(_REFUSED) == refused + 1
        assert value_of(_WAITING) == waiting + 1
        for _ in range(3):
            queue.leave()
        assert value_of(_WAITING) == waiting

    def test_a_place_that_was_left_can_be_taken(self) -> None:
        queue = ThreadQueue(1, 0)
        for _ in range(3):
            as_request(queue.enter, queue.leave)

    def test_who_had_a_place_is_not_refused_later(self) -> None:
        queue = ThreadQueue(1, 0)

        as_request(queue.enter, queue.leave, lambda: as_request(queue.enter), queue.enter)

    def test_but_where_it_is_new_it_is(self) -> None:
        queue = ThreadQueue(1, 0)

        with pytest.raises(Unavailable):
            as_request(ThreadQueue(1, 0).enter, queue.enter, lambda: queue.enter(is_new=True))

    def test_what_is_no_request_is_never_refused(self) -> None:
        queue = ThreadQueue(1, 0)
        for _ in range(3):
            queue.enter()
