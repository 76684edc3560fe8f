"""What goes on after an answer was sent."""

import asyncio
import json

import pytest

from app.core.context import RequestContext
from app.http import tasks
from app.observability.logging import configure_logging


async def _finished(seconds: float, patience: float) -> bool:
    """Return whether a task that takes so many seconds has ended once a stop has waited for it."""
    configure_logging("INFO")
    has_ended = False

    async def task() -> None:
        nonlocal has_ended
        tasks.goes_on(RequestContext("late", "0" * 32, "POST", "/things"))
        await asyncio.sleep(seconds)
        has_ended = True

    running = asyncio.create_task(task())
    await asyncio.sleep(0)
    await tasks.finish(patience)
    running.cancel()
    return has_ended


def test_a_stop_waits_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(_finished(0.05, 10))
    assert not capfd.readouterr().out


def test_logs_a_task_that_is_abandoned(capfd: pytest.CaptureFixture[str]) -> None:
    assert not asyncio.run(_finished(10, 0.05))

    line = json.loads(capfd.readouterr().out)
    assert (line["event"], line["request_id"]) == ("task_abandoned", "late")


def test_a_stop_does_not_wait_where_nothing_goes_on() -> None:
    asyncio.run(asyncio.wait_for(tasks.finish(10), 1))
