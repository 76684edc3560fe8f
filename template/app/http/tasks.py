"""Tasks that run on after a response was sent, such as a framework's background tasks."""

import asyncio

import structlog

from app.core.context import RequestContext

_log = structlog.get_logger("app.requests")
_going_on: dict[asyncio.Task[object], RequestContext] = {}


def goes_on(request: RequestContext) -> None:
    """Say that the answer to `request` was sent, and that this task may have more to do."""
    task = asyncio.current_task()
    if task is not None:
        _going_on[task] = request
        task.add_done_callback(lambda ended: _going_on.pop(ended, None))


async def finish(seconds: float) -> None:
    """Wait at most `seconds` for the tasks of this loop; log each task that is abandoned."""
    loop = asyncio.get_running_loop()
    mine = {task: request for task, request in _going_on.items() if task.get_loop() is loop}
    if not mine:
        return
    _, pending = await asyncio.wait(mine, timeout=seconds)
    for task in pending:
        request = mine[task]
        _log.error("task_abandoned", request_id=request.request_id, trace_id=request.trace_id, route=request.route)
