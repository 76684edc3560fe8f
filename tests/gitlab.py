"""What stands in for GitLab: the part of its API that Renovate asks, in front of bare repositories."""

import json
import re
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

NOW = "2026-01-01T00:00:00Z"
Body = dict[str, Any]


class GitLab(ThreadingHTTPServer):
    """Has the repositories `NAME.git` of a folder, and keeps what is proposed for each: by name its merge requests, the
    notes on them, and the statuses of commits.
    """

    def __init__(self, repositories: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.merge_requests: defaultdict[str, list[Body]] = defaultdict(list)
        self.notes: defaultdict[str, list[Body]] = defaultdict(list)
        self.statuses: defaultdict[str, list[Body]] = defaultdict(list)

    @property
    def url(self) -> str:
        """Return where the API answers, as `CI_API_V4_URL` has it."""
        return f"http://127.0.0.1:{self.server_port}/api/v4"

    def answer(self, method: str, path: str, body: Body) -> object:
        """Return what GitLab answers, as far as Renovate reads it; None if it has no such thing."""
        if path in {"user", "version"}:
            return {"name": "Bot", "username": "bot", "email": "bot@example.com", "version": "18.5.0"}
        name, _, rest = path.removeprefix("projects/").partition("/")
        project = unquote(name).rpartition("/")[2]
        if not rest:
            url = f"file://{self.repositories}/{project}.git"
            return {"id": 1, "default_branch": "main", "merge_method": "merge", "http_url_to_repo": url}
        return self._of_project(method, project, rest, body)

    def _of_project(self, method: str, project: str, path: str, body: Body) -> object:
        if path == "issues":
            return [] if method == "GET" else {"iid": 1}
        if path.startswith("statuses/") or path.endswith("/statuses"):
            return _kept(self.statuses[project], method, {**body, "name": body.get("context")})
        if path.endswith("/notes"):
            return _kept(self.notes[project], method, {**body, "id": len(self.notes[project])})
        proposed = self.merge_requests[project]
        if path == "merge_requests":
            more = {"iid": len(proposed) + 1, "state": "opened", "created_at": NOW, "updated_at": NOW, "labels": []}
            return _kept(proposed, method, {**body, **more})
        if found := re.fullmatch(r"merge_requests/(\d+)", path):
            return proposed[int(found[1]) - 1]
        return None


def _kept(kept: list[Body], method: str, item: Body) -> object:
    """Return what is kept, or the item that a request adds to it."""
    if method == "GET":
        return kept
    kept.append(item)
    return item


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, GitLab)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0].removeprefix("/api/v4/").lstrip("/")
        answer = server.answer(self.command, path, json.loads(sent or "{}"))
        body = json.dumps(answer).encode()
        self.send_response_only(200 if answer is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()


@contextmanager
def serving(repositories: Path) -> Generator[GitLab]:
    """Answer until the end of the block."""
    with GitLab(repositories) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
