"""Uvicorn's part of the contract."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.errors import BadRequest
from app.http.responses import message


class Protocol(HttpToolsProtocol):
    """HTTP/1.1, with our answer to what is not HTTP and so never reaches the application."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as in the base class
        self.transport.write(message(BadRequest()))
        self.transport.close()
