"""Connections: how long they stay open."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check

if TYPE_CHECKING:
    from .service import Service

# Uvicorn closes an idle connection after 5 s unless it is told otherwise, gunicorn after 2 s.
IDLE_SECONDS = 6
REFUSALS = 20  # of which some end their connection sooner than others


@check(orders=False)
def an_idle_connection_stays_open_for_a_proxy_to_use_again(service: Service) -> None:
    request = Request("GET", "/healthz", ())
    with closing(sockets.connect(service.base_url)) as connection:
        for pause in (0, IDLE_SECONDS):
            time.sleep(pause)
            connection.sendall(sockets.head(request, host="localhost"))
            service.expect(sockets.read_answer(connection, request), 200, f"after {pause} s")


@check(orders=False)
def a_connection_goes_on_after_a_refusal_unless_the_answer_says_that_it_ends(service: Service) -> None:
    for size in (1000, 20_000, 200_000, 1_100_000):
        for method, path in (("POST", "/nope"), ("DELETE", "/healthz")):
            silent = sum(ends_in_silence(service, method, path, b" " * size) for _ in range(REFUSALS))
            service.claim(f"{method} {path}, {size} bytes: {silent} of {REFUSALS} connections ended unsaid", not silent)


def ends_in_silence(service: Service, method: str, path: str, body: bytes) -> bool:
    """Return whether the connection ends after an answer that does not say so (RFC 9112, 9.6)."""
    refused = Request(method, path, (("Content-Type", "text/plain"), ("Content-Length", str(len(body)))), body)
    following = Request("GET", "/healthz", ())
    with closing(sockets.connect(service.base_url)) as connection:
        try:
            connection.sendall(sockets.head(refused, host="localhost") + body)
            answer = sockets.read_answer(connection, refused)
        except (OSError, sockets.NoAnswerError):
            # Refused before all was sent: the client cannot take it for open.
            return False
        service.claim(f"{method} {path}: never a server error", answer.status < 500, answer)
        if answer.header("connection") == "close":
            return False
        try:
            connection.sendall(sockets.head(following, host="localhost"))
            return sockets.read_answer(connection, following).status != 200
        except (OSError, sockets.NoAnswerError):
            return True
