"""A private index of packages: its certificate is from an authority that nobody knows, and it asks for a login."""

import base64
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from tests.processes import completed
from tests.stand_ins import CERTIFICATES

PACKAGE = "internal-words"
USER, PASSWORD = "robot", "correct-horse-battery-staple"
_PROJECT = f"""\
[project]
name = "{PACKAGE}"
version = "1.2.3"

[build-system]
requires = ["uv_build>=0.9"]
build-backend = "uv_build"
"""


@dataclass(frozen=True)
class PrivateIndex:
    """Where it is, and the files that lead there: a login, and the authorities of this machine and its own."""

    url: str
    netrc: Path
    authorities: Path

    @property
    def settings(self) -> dict[str, str]:
        """Return what uv has to be told."""
        return {"NETRC": str(self.netrc), "SSL_CERT_FILE": str(self.authorities)}

    @property
    def secrets(self) -> list[bytes]:
        """Return what nobody may find in an image: the password, and a line of the authority's certificate."""
        return [PASSWORD.encode(), self.authorities.read_bytes().splitlines()[-3]]


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer who is known."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers["Authorization"] == f"Basic {login}":
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def private_index(directory: Path) -> Generator[PrivateIndex]:
    """Serve an index with one package, `internal-words`, while the context lasts."""
    project = directory / "project"
    (project / "src/internal_words").mkdir(parents=True)
    (project / "src/internal_words/__init__.py").write_text('WORD = "inside"\n', "utf-8")
    (project / "pyproject.toml").write_text(_PROJECT, "utf-8")
    completed(["uv", "build", "--quiet", "--wheel", "--out-dir", str(directory / "simple" / PACKAGE), str(project)])
    (directory / "simple" / PACKAGE / ".gitignore").unlink(missing_ok=True)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(directory)))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    netrc, authorities = directory / "netrc", directory / "authorities.pem"
    netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n", "utf-8")
    authorities.write_bytes(CERTIFICATES.read_bytes() + authority.cert_pem.bytes())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield PrivateIndex(f"https://localhost:{server.server_port}/simple", netrc, authorities)
    finally:
        server.shutdown()
        server.server_close()
