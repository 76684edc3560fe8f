"""What stands in for osv.dev, the service that `just audit` asks about vulnerabilities."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


class Vulnerabilities(HTTPServer):
    """Has a report of every version of the package `vulnerable`, and of no other; `asked` are those it was asked of."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vulnerable = ""
        self.asked: set[str] = set()

    @property
    def url(self) -> str:
        """Return where it answers, as `--osv-url` takes it."""
        return f"http://127.0.0.1:{self.server_port}/v1/query"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Vulnerabilities)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        server.asked.add(asked)
        found = {"vulns": [{"id": "GHSA-test", "aliases": [], "summary": "planted", "affected": []}]}
        body = json.dumps(found if asked == server.vulnerable else {}).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Generator[Vulnerabilities]:
    """Answer until the end of the block."""
    with Vulnerabilities() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
