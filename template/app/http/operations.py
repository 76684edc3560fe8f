"""Ports of their own, which the public need not reach: OPERATIONS_PORT and METRICS_PORT."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from app.core.settings import Settings
from app.http.asgi import ASGIApp, Receive, Scope, Send
from app.http.server import http1_settings
from app.observability.logging import logging_config

_MARK = "app.operations"


def is_for_operations(scope: Scope) -> bool:
    """Return whether a request came in at OPERATIONS_PORT or METRICS_PORT."""
    return _MARK in scope


@asynccontextmanager
async def serving_operations(app: ASGIApp, port: int | None, settings: Settings) -> AsyncGenerator[None]:
    """Context in which `app` is served at `port`, too, if there is one: by this process and in its loop."""
    if port is None:
        yield
        return

    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, _MARK: True}, receive, send)

    server = Server(
        marked,
        address=settings.host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=http1_settings(settings),
        websockets=False,
        log_level=LogLevels(settings.log_level.lower()),
        log_dictconfig=logging_config(settings.log_level),
    )
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()
        await task
