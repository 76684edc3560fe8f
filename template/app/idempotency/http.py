"""Requests with an `Idempotency-Key` are carried out once, and answered alike each time they are sent again."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from http import HTTPStatus

from app.core import context
from app.core.errors import AppError
from app.core.settings import Settings
from app.db.joint import joint
from app.db.models.idempotency_keys import LARGEST_ANSWER
from app.http.asgi import ASGIApp, Message, Receive, Scope, Send, encoded, values
from app.http.bulkhead import Bulkhead, Room
from app.http.receiving import has_body
from app.http.responses import error_response, send_error
from app.http.thread_queue import MESSAGE
from app.idempotency.request import KeyedRequest

_PATHSEND = "http.response.pathsend"
_REPLAYED = (b"idempotent-replayed", b"true")


def middleware(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `app` with idempotency keys for POST. Requests without a key are passed on."""
    # Each holds a connection from its first change on. One is left for all others, which need one to come to an end.
    room = Room(max(1, settings.database_pool_size - 1), settings.max_queued_requests, MESSAGE)
    turns = Bulkhead(room, "idempotency_keys")

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        keys = values(scope, b"idempotency-key") if scope["type"] == "http" and scope["method"] == "POST" else []
        if keys:
            await _Exchange(scope, receive, send, settings, turns).run(app, keys)
        else:
            await app(scope, receive, send)

    return answer


class _Exchange:
    """One request with a key, and its answer, which is sent once it is stored."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: Settings, turns: Bulkhead) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._settings, self._turns = settings, turns
        self._has_turn, self._turn = False, AsyncExitStack()
        self._hash = hashlib.sha256(f"{scope['method']} {scope['path']}\0".encode() + scope["query_string"] + b"\0")
        self._start: Message = {}
        self._body = bytearray()
        self._is_decided = self._is_dropped = False
        self._failure: AppError | None = None
        self._deadline = context.deadline()

    async def run(self, app: ASGIApp, keys: list[str]) -> None:
        self._request = KeyedRequest(keys, self._hash.hexdigest, self._settings)
        token = joint.set(self._request)
        # A file that the server reads would be an answer without a body here.
        extensions = self._scope.get("extensions") or {}
        self._scope["extensions"] = {name: each for name, each in extensions.items() if name != _PATHSEND}
        try:
            if not has_body(self._scope):
                await self._wait_for_turn()
            await app(self._scope, self._receive_hashed, self._send_stored)
        except Exception as error:
            # The frameworks may have turned ours into another.
            failure = self._failure or (context.timed_out() if self._is_late(error) else None)
            if failure is None:
                raise
            await send_error(error_response(failure), self._send)
        finally:
            joint.reset(token)
            try:
                if not self._is_decided:
                    # There is no answer: the application has failed, or its client has gone.
                    await asyncio.shield(asyncio.to_thread(self._request.abandon))
            finally:
                await self._turn.aclose()

    def _is_late(self, error: Exception) -> bool:
        return isinstance(error, TimeoutError) and not (self._has_turn or self._is_decided)

    async def _wait_for_turn(self) -> None:
        async with asyncio.timeout(self._settings.request_timeout_seconds):
            await self._turn.enter_async_context(self._turns.turn())
        self._has_turn = True

    async def _receive_hashed(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._hash.update(message.get("body", b""))
            if not (message.get("more_body", False) or self._has_turn or self._is_decided):
                # Not before, so that a slow upload keeps nobody waiting.
                await self._wait_for_turn()
        return message

    async def _send_stored(self, message: Message) -> None:
        if self._is_dropped:
            return
        if self._is_decided:
            await self._send(message)
        elif self._request.refusal is not None:
            # Whatever the application has made of it: the request is not carried out now.
            self._is_decided = self._is_dropped = True
            await self._turn.aclose()
            await send_error(error_response(self._request.refusal), self._send)
        elif message["type"] == "http.response.start":
            self._start = message
            if not self._request.is_kept:
                self._is_decided = True
                self._request.leave()
                await self._turn.aclose()
                await self._send(message)
        else:
            self._body += message.get("body", b"")
            is_last = not message.get("more_body", False)
            if is_last or len(self._body) > LARGEST_ANSWER:
                await self._decide(is_last=is_last)

    async def _decide(self, *, is_last: bool) -> None:
        """Commit the request with its answer, and send that."""
        self._is_decided = True
        body = bytes(self._body)
        if self._request.stored is not None:
            self._is_dropped = True
            status, headers, body = self._request.stored.answer
            self._start = {**self._start, "status": status, "headers": [*encoded(headers), _REPLAYED]}
            is_last = True
        elif self._start["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            with suppress(TimeoutError):
                await self._in_time(self._request.abandon)
            self._request.leave()
        else:
            await self._store(body if is_last else None)
        await self._turn.aclose()
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})

    async def _store(self, body: bytes | None) -> None:
        fits = body is not None and len(body) <= LARGEST_ANSWER
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start["headers"]]
        try:
            await self._in_time(partial(self._request.finish, self._start["status"], headers, body if fits else None))
        except (AppError, TimeoutError) as error:
            # Raised, so that nothing that was to come after the answer is done.
            self._failure = error if isinstance(error, AppError) else context.timed_out()
            raise
        context.lift_deadline()

    async def _in_time(self, function: Callable[[], None]) -> None:
        """Call `function` in a thread, whatever comes, and wait for it until the request has used up its time."""
        # The frameworks' part of the request has ended, and its time limit with it.
        context.restore_deadline(self._deadline)
        work = asyncio.ensure_future(asyncio.to_thread(function))
        async with asyncio.timeout(max(self._deadline - time.monotonic(), 0)):
            await asyncio.shield(work)
