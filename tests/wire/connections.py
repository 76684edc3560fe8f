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


@check(orders=False)
def an_idle_connection_stays_open_for_a_proxy_to_use_again(service: Service) -> None:
    request = Request("GET", "/healthz", ())
    with closing(sockets.connect(service.base_url)) as connection:
        for pause in (0, IDLE_SECONDS):
            time.sleep(pause)
            connection.sendall(sockets.head(request, host="localhost"))
            service.expect(sockets.read_answer(connection, request), 200, f"after {pause} s")
