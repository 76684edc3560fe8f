"""Work that is done once the answer has been sent."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from flask import Response, after_this_request

from app.api.wsgi import AFTER_ANSWER

P = ParamSpec("P")


def run_after_answer(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call `function(…)` once the answer to this request was sent, outside of its request context.

    What it raises is in the log, and a stop waits for it (SHUTDOWN_TASKS_SECONDS).
    """
    work = partial(function, *args, **kwargs)
    left = AFTER_ANSWER.get()
    if left is None:
        after_this_request(partial(_closing, work))
    else:
        left.append(work)


def _closing(work: Callable[[], object], response: Response) -> Response:
    """Leave `work` to the server, which is not ours: it closes the response when it has sent it (PEP 3333)."""
    response.call_on_close(work)
    return response
