"""Run Flask behind an ASGI server. A request holds a thread only while Python code runs, not during I/O."""

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TypeVar

import structlog
from flask import Flask, Request
from werkzeug.routing import MapAdapter

from app.api.routing import ServiceRoutes
from app.core.errors import AppError, BodyTooLarge
from app.http import server
from app.http.asgi import Receive, Scope, Send, encoded
from app.http.receiving import length_of, parts
from app.http.thread_queue import ThreadQueue

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

T = TypeVar("T")
AFTER_ANSWER: ContextVar[list[Callable[[], object]] | None] = ContextVar("after_answer", default=None)
"""What is called once the answer to this request was sent; None on a server that does not do that."""
_MOST_IN_MEMORY = 1024 * 1024
"""How many bytes of a body are kept in memory; more are in a temporary file, and written by a thread."""
_log = structlog.get_logger("app.requests")


class Service(Flask):
    """Flask, with routes that depend on the path alone."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is None:
            return super().create_url_adapter(request)
        # Flask's own also looks at the host, and refuses what asks for an upgrade.
        return self.url_map.bind(
            request.host,
            script_name=request.root_path,
            url_scheme=request.scheme,
            default_method=request.method,
            path_info=request.path,
        )


class WSGIAdapter:
    """An ASGI application that calls a Flask application (PEP 3333).

    A body is read whole before a thread is taken, and each part of an answer is sent before the next one is asked for,
    so that no client holds a thread by sending or receiving slowly. One that comes in parts is read only if its head
    is not refused, so that strangers take no memory. There are as many threads as connections to the
    database: more would wait for one. /healthz has one of its own, since it must not depend on the database.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.settings = app.extensions["settings"]
        self.threads = ThreadPoolExecutor(self.settings.database_pool_size, "flask")
        self.queue = ThreadQueue(self.settings.database_pool_size, self.settings.max_queued_requests)
        self.own_thread, self.own_queue = ThreadPoolExecutor(1, "healthz"), ThreadQueue(1, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        environ = _environ(scope)
        is_health = scope["path"] == "/healthz"
        threads, queue = (self.own_thread, self.own_queue) if is_health else (self.threads, self.queue)
        left: list[Callable[[], object]] = []
        AFTER_ANSWER.set(left)
        answer = _Answer(self.app.wsgi_app, environ, threads, queue)
        gone = None
        try:
            environ["wsgi.input"] = await _body(scope, receive, partial(answer.run, partial(self._refusal, environ)))
            body, is_last = await answer.run(answer.first)
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if not is_last:
                gone = asyncio.create_task(_disconnected(receive))
            while not is_last and not (gone and gone.done()):
                await send({"type": "http.response.body", "body": body, "more_body": True})
                body, is_last = await answer.run(answer.next)
            await send({"type": "http.response.body", "body": body})
            for work in left:
                await answer.run(work)
        finally:
            if gone is not None:
                gone.cancel()
            answer.end()

    def _refusal(self, environ: "WSGIEnvironment") -> AppError | None:
        """Return why the request is refused by its head; None too where other code comes before Flask's own."""
        is_flasks_own = getattr(self.app.wsgi_app, "__self__", None) is self.app
        routes: ServiceRoutes = self.app.extensions["routes"]
        return routes.refusal(environ) if is_flasks_own else None

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop when the server does (the lifespan protocol of ASGI)."""
        await receive()
        async with server.running(self.settings):
            await send({"type": "lifespan.startup.complete"})
            await receive()
        self.app.extensions["database"].dispose()
        for threads in (self.threads, self.own_thread):
            threads.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})


class _Answer:
    """The answer of a WSGI application, part by part, each made in a thread."""

    def __init__(
        self, app: "WSGIApplication", environ: "WSGIEnvironment", threads: ThreadPoolExecutor, queue: ThreadQueue
    ) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self._app = app
        self._request = environ
        self._threads, self._queue = threads, queue
        self._context = copy_context()
        self._work: Future[Any] | None = None
        self._parts: Iterable[bytes] = ()
        self._left: Iterator[bytes] = iter(())
        self._has_begun = False

    async def run(self, function: Callable[[], T]) -> T:
        """Return `function()`. If the caller is cancelled, the function still runs to its end in its thread.

        Raises:
            Unavailable: too many requests wait for a thread.
        """
        self._queue.enter()
        work = self._threads.submit(lambda: self._context.run(function))
        work.add_done_callback(self._queue.leave)
        self._work = work
        return await asyncio.wrap_future(work)

    def first(self) -> tuple[bytes, bool]:
        """Call the application; return the first part of the body, and whether it is the last."""
        self._parts = self._app(self._request, self._start)  # ty: ignore[invalid-argument-type] - no `write`, see below
        self._left = iter(self._parts)
        body = next(self._left, b"")
        self._has_begun = True
        return body, (b"content-length", str(len(body)).encode()) in self.headers

    def next(self) -> tuple[bytes, bool]:
        """Return the next part of the body, and whether it is the last."""
        body = next(self._left, None)
        return body or b"", body is None

    def end(self) -> None:
        """Close the response in a thread, after the running call has finished."""
        if self._work is None:
            # It was refused, and nothing of it has run.
            self._close()
        elif self._work.done():
            # The service may be stopping.
            with suppress(RuntimeError):
                self._threads.submit(self._close)
        else:
            self._work.add_done_callback(lambda _: self._close())

    def _close(self) -> None:
        close = getattr(self._parts, "close", None)
        try:
            if close is not None:
                self._context.run(close)
            self._request["wsgi.input"].close()
        except Exception:  # noqa: BLE001 - nobody is there to be told
            _log.exception("crash")

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:  # noqa: ANN401 - a traceback
        # PEP 3333 also has a `write` that this could return, for applications older than it.
        if exc_info is not None and self._has_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status = int(status[:3])
        self.headers = encoded(headers)


class UnreadableBody(io.RawIOBase):
    """A body that cannot be read: whoever tries is told why."""

    def __init__(self, error: AppError) -> None:
        self.error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:  # noqa: ANN401 - as in the base class
        raise self.error


async def _disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(
    scope: Scope, receive: Receive, refusal: Callable[[], Awaitable[AppError | None]]
) -> "IO[bytes] | UnreadableBody":
    """Return the body. One that is too large fails when it is read, so that credentials are checked before its size.

    `refusal` is asked when a part has come, and there are more.
    """
    body, file, is_first = bytearray(), None, True
    try:
        async for part, may_be_more in parts(scope, receive):
            # The server says so of a body that has come whole, too.
            is_more = may_be_more and len(part) != length_of(scope)
            if is_first and is_more and (refused := await refusal()):
                return UnreadableBody(refused)
            is_first = False
            body += part
            if len(body) > _MOST_IN_MEMORY:
                file = await asyncio.to_thread(_appended, file, body)
                body = bytearray()
        if file is not None:
            file = await asyncio.to_thread(_appended, file, body)
    except BaseException as error:
        if file is not None:
            file.close()
        if isinstance(error, BodyTooLarge):
            return UnreadableBody(error)
        raise
    if file is None:
        return io.BytesIO(body)
    file.seek(0)
    return file


def _appended(file: "IO[bytes] | None", part: bytearray) -> "IO[bytes]":
    """Return `file`, or else a new one, with `part` at its end; it is closed with the request."""
    file = file or tempfile.TemporaryFile()  # noqa: SIM115
    file.write(part)
    file.flush()
    return file


def _environ(scope: Scope) -> "WSGIEnvironment":
    """Return the environment of a request, but for its body."""
    host, port = scope["server"] or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope["root_path"],
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.0" if scope["http_version"] in {"1", "1.0"} else "HTTP/1.1",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            # In WSGI it could not be told from the header with a hyphen.
            continue
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        separator = ";" if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    return environ
