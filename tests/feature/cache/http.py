"""Says how long an answer may be kept."""

from app.core.settings import Settings
from app.http.asgi import ASGIApp, Message, Receive, Scope, Send


def middleware(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `app`, whose answers have a header."""

    async def with_header(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-cache-seconds", b"%d" % settings.cache_seconds)]
            await send(message)

        await app(scope, receive, send_more if scope["type"] == "http" else send)

    return with_header
