"""Ordinary code of both frameworks, put into a rendered service: it works, is documented, and is closed by default."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import httpx2
import pytest

from tests.rendering import render
from tests.service import UNMEASURED, Service

ORDINARY = Path(__file__).parent / "ordinary"
ROUTES = "app/api/routes/ordinary.py"
FRAMEWORKS = ("fastapi", "flask")
# Each says in its first line what the sentence that stops the start has to name.
REFUSED = [
    pytest.param(framework, path, id=f"{framework}-{path.stem}")
    for framework in FRAMEWORKS
    for path in sorted((ORDINARY / f"refused_by_{framework}").glob("*.py"))
]


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Service]:
    """Return a function that gives an installed service of a framework, without the routes of the test before."""

    @cache
    def installed(framework: str) -> Service:
        directory = tmp_path_factory.mktemp(framework)
        found = Service(
            render(template, directory / "ordinary", framework=framework, database="sqlite", auth="api_key")
        )
        found.run("uv", "sync", "--quiet")
        return found

    def without_routes(framework: str) -> Service:
        for path in (installed(framework).directory / ROUTES).parent.glob("ordinary*.py"):
            path.unlink()
        return installed(framework)

    return without_routes


def add_routes(project: Path, framework: str) -> None:
    """Put the routes of a framework, and what calls them, where a team would put its own."""
    tests = project / "tests/contract"
    shutil.copy(ORDINARY / "models.py", project / "app/schemas/ordinary.py")
    shutil.copytree(ORDINARY / framework, project / "app/api/routes", dirs_exist_ok=True)
    shutil.copy(ORDINARY / "calls.py", tests / "test_ordinary.py")
    shutil.copy(ORDINARY / f"calls_of_{framework}.py", tests / f"test_ordinary_{framework}.py")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_works(service: Callable[[str], Service], framework: str) -> None:
    found = service(framework).with_settings(UNMEASURED)
    add_routes(found.directory, framework)

    found.run(
        "uv", "run", "pytest", "-q", "tests/contract/test_ordinary.py", f"tests/contract/test_ordinary_{framework}.py"
    )


def test_both_document_it_alike(service: Callable[[str], Service], tmp_path: Path) -> None:
    documents = []
    for framework in FRAMEWORKS:
        found = service(framework)
        add_routes(found.directory, framework)
        found.run("uv", "run", "app", "openapi", str(tmp_path / framework))
        documents.append(json.loads((tmp_path / framework).read_text("utf-8")))
    fastapi, flask = documents

    # Plain blueprints are not documented, headers are not among what a view is annotated with, and a view may return
    # what it likes.
    others = {"/v1/ordinary/headers", "/v1/ordinary/fails/{status}"}
    both = [path for path in flask["paths"].keys() & fastapi["paths"].keys() if path.startswith("/v1/ordinary")]
    assert {"/v1/ordinary/params", "/v1/ordinary/union", "/v1/ordinary/outer/inner/{thing_id}"} <= set(both)
    assert others == {path for path in both if fastapi["paths"][path] != flask["paths"][path]}
    assert {"Rich-Input", "Rich-Output", "Cat", "Names", "Filters"} <= flask["components"]["schemas"].keys()
    for name, schema in flask["components"]["schemas"].items():
        assert fastapi["components"]["schemas"][name] == schema, name


@pytest.mark.parametrize(("framework", "path"), REFUSED)
def test_what_cannot_be_served_stops_the_start(service: Callable[[str], Service], framework: str, path: Path) -> None:
    found = service(framework)
    shutil.copy(path, found.directory / ROUTES)
    named = path.read_text("utf-8").splitlines()[0].strip('"').split(" | ")

    printed = found.fails("uv", "run", "app", "serve" if path.stem == "hidden" else "openapi")
    assert [] == [each for each in named if each not in printed], printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_error_that_is_not_registered_stops_it_too(service: Callable[[str], Service], framework: str) -> None:
    found = service(framework)
    shutil.copy(ORDINARY / "unregistered.py", found.directory / ROUTES)

    for command in ("serve", "openapi"):
        printed = found.fails("uv", "run", "app", command)
        assert "app.api.routes.ordinary.OutOfStock has a code of its own" in printed
        assert "app/core/failures/" in printed
        assert "Traceback" not in printed


@pytest.mark.parametrize(("patience", "sign"), [("10", "task done"), ("0.2", "task_abandoned")])
def test_a_stop_waits_for_background_tasks(service: Callable[[str], Service], patience: str, sign: str) -> None:
    found = service("fastapi").with_settings({"SHUTDOWN_TASKS_SECONDS": patience})
    add_routes(found.directory, "fastapi")
    found.run("uv", "run", "app", "migrate")

    with found.serving() as url:
        assert httpx2.post(f"{url}/v1/ordinary/tasks?seconds=1.5").status_code == 202
        log = found.directory / "serve.log"
        assert sign not in log.read_text("utf-8")

    assert sign in log.read_text("utf-8")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_is_around_all_routes_is_added_where_it_is_built(
    service: Callable[[str], Service], framework: str
) -> None:
    found = service(framework)
    main = found.directory / "app/main.py"
    before = main.read_text("utf-8")
    _, begin, rest = before.partition("\ndef build()")
    assert begin
    try:
        built = rest.replace("    return app\n", f"{AROUND[framework]}    return app\n", 1)
        main.write_text(before.replace(rest, built), "utf-8")
        printed = found.run("uv", "run", "python", "-c", CALLED)
    finally:
        main.write_text(before, "utf-8")
    assert printed.splitlines()[-1] == SEEN[framework]


AROUND = {
    "fastapi": """\
    from fastapi.responses import JSONResponse
    from fastapi.staticfiles import StaticFiles
    from starlette.middleware.gzip import GZipMiddleware
    from app.auth.policy import public

    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.mount("/files", public(StaticFiles(directory="docs")))

    @app.exception_handler(ZeroDivisionError)
    async def teapot(request, error):
        return JSONResponse({}, 418)

    @app.get("/crash")
    @public
    async def crash():
        return 1 / 0

""",
    "flask": """\
    from flask import session
    from app.auth.policy import public

    app.config["SECRET_KEY"] = "of this test"

    @app.after_request
    def note(response):
        session["seen"] = True
        return response

    @app.errorhandler(ZeroDivisionError)
    def teapot(error):
        return {}, 418

    @app.get("/crash")
    @public
    def crash():
        return 1 / 0

""",
}
SEEN = {"fastapi": "200 gzip None 200 418", "flask": "200 None True 404 418"}
CALLED = """
from app.core.settings import get_settings
from tests.client import open_client
with open_client(get_settings()) as client:
    health = client.get("/healthz", headers={"Accept-Encoding": "gzip"})
    cookie = "session=" in health.headers.get("set-cookie", "") or None
    statuses = [client.get(path).status_code for path in ("/files/errors.md", "/crash")]
    print(health.status_code, health.headers.get("content-encoding"), cookie, *statuses)
"""


def test_what_is_added_later_stops_it_too(service: Callable[[str], Service]) -> None:
    for framework, (added, started) in LATER.items():
        printed = service(framework).fails("uv", "run", "python", "-c", f"{added}\n{started}")
        assert "GET /late" in printed


LATER = {
    "fastapi": (
        "from app.main import create_app\napp = create_app()\n@app.get('/late')\ndef late(): ...",
        "import asyncio\nasync def run():\n    async with app.router.lifespan_context(app): ...\nasyncio.run(run())",
    ),
    "flask": (
        "from app.main import create_app, create_asgi_app\napp = create_app()\n@app.get('/late')\ndef late(): ...",
        "create_asgi_app(app)",
    ),
}
