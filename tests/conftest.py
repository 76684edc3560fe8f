"""What every test of the template shares: the template under test, hermetic tools, real databases."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from tests.bytecode import compile_bytecode
from tests.containers import Engine, EngineMissingError, clean_up, new_engine
from tests.docker import Docker, new_docker
from tests.identity import NewProvider, new_provider
from tests.machine import environment
from tests.osv import Vulnerabilities, serving
from tests.prepared import NewPipeline, pipelines
from tests.registry import Registry
from tests.rendering import Answers, clone_template, render, variant_id
from tests.servers import ServerMissingError, create_database, server_url, stop_servers
from tests.service import Service
from tests.stand_ins import build_image

Render = Callable[..., Path]
Rendered = Callable[[Answers], Path]
Install = Callable[[Answers], Service]
NewDatabase = Callable[[str], dict[str, str]]
Image = Callable[[Answers], str]


def shared_directory(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all workers of this test run share."""
    base = factory.getbasetemp()
    return base.parent if hasattr(config, "workerinput") else base


@pytest.fixture(scope="session", autouse=True)
def hermetic(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the settings of the person who runs the tests out of git, Copier and the rendered services."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "DATABASE_URL",
            "DATABASE_READ_URL",
            "DATABASE_MIGRATION_URL",
            "ENVIRONMENT",
            "HOST",
            "PORT",
            "WORKERS",
            "VIRTUAL_ENV",
        ):
            patch.delenv(name, raising=False)
        # Every process of every variant would compile all libraries again.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # Seconds of computation about Unicode, which every new folder would do again.
        patch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(shared / "hypothesis"))
        # At its end, pytest removes what earlier runs have left in the folder that they share, which may take minutes.
        (shared / "tests-of-services").mkdir(exist_ok=True)
        patch.setenv("PYTEST_DEBUG_TEMPROOT", str(shared / "tests-of-services"))
        patch.setenv("XDG_CONFIG_HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Slipway tests")
            patch.setenv(f"GIT_{role}_EMAIL", "tests@example.com")
        yield


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all workers of this test run share."""
    return shared_directory(request.config, tmp_path_factory)


@pytest.fixture(scope="session")
def template(shared: Path) -> Path:
    """Return a clone of this repository, uncommitted changes included, tagged as a release."""
    clone = shared / "template"
    with FileLock(shared / "template.lock"):
        if not clone.exists():
            clone_template(clone)
    return clone


@pytest.fixture(name="render")
def render_fixture(template: Path, tmp_path: Path) -> Render:
    """Return a function that renders the template with the given answers into a directory of this test."""

    def run(name: str = "project", **answers: object) -> Path:
        return render(template, tmp_path / name, **answers)

    return run


@pytest.fixture(scope="session")
def rendered(template: Path, shared: Path) -> Rendered:
    """Return a function that renders a variant, once for this test run; the tests only read it."""

    def once(answers: Answers) -> Path:
        project = shared / "rendered" / variant_id(answers)
        with FileLock(f"{project}.lock"):
            return project if project.exists() else render(template, project, **answers)

    return once


@pytest.fixture
def project(request: pytest.FixtureRequest, rendered: Rendered) -> Path:
    """Return the rendering of the variant that the test is about."""
    return rendered(request.param)


@pytest.fixture
def install(template: Path, shared: Path) -> Iterator[Install]:
    """Return a function that gives a variant, rendered and installed once for this test run, to this test alone."""
    with ExitStack() as locks:

        def run(answers: Answers) -> Service:
            project = shared / "variants" / variant_id(answers)
            # One test may ask for a variant several times.
            locks.enter_context(FileLock(f"{project}.lock", is_singleton=True))
            service = Service(project)
            if not project.exists():
                render(template, project, **answers)
                service.run("git", "init", "--quiet")
                service.run("uv", "sync", "--quiet")
                compile_bytecode(service.directory / ".venv", shared / "bytecode")
            return service

        yield run


@pytest.fixture
def new_database(shared: Path) -> NewDatabase:
    """Return a function that makes an empty database and gives the settings that lead a service to it."""

    def create(database: str) -> dict[str, str]:
        if database == "sqlite":
            return {}  # the default, a file in the project
        try:
            return {"DATABASE_URL": create_database(server_url(database, shared))}
        except ServerMissingError as missing:
            pytest.skip(str(missing))

    return create


@pytest.fixture(name="new_provider")
def new_provider_fixture(shared: Path) -> NewProvider:
    """Return a function that gives an identity provider at an address of its own, not yet running."""
    return lambda: new_provider(shared)


@pytest.fixture
def osv() -> Iterator[Vulnerabilities]:
    """Return what stands in for osv.dev."""
    with serving() as server:
        yield server


@pytest.fixture
def engine(shared: Path) -> Engine:
    """Return a container engine with stand-ins for the pinned images, set up once for this test run."""
    try:
        return new_engine(shared)
    except EngineMissingError as missing:
        pytest.skip(f"no container can run here: {missing}")


@pytest.fixture
def image(engine: Engine, install: Install) -> Image:
    """Return a function that builds the image of a variant, once for this test run, by the service's own command."""

    def build(answers: Answers) -> str:
        service, name = install(answers), f"localhost/{variant_id(answers)}"
        if not engine.has(name):
            build_image(engine, service, name)
        return name

    return build


@pytest.fixture
def docker(shared: Path) -> Docker:
    """Return a Docker Engine, started once for this test run."""
    try:
        return new_docker(shared)
    except EngineMissingError as missing:
        pytest.skip(f"no Docker Engine can run here: {missing}")


@pytest.fixture
def registry(shared: Path) -> Registry:
    """Return a registry of container images, started once for this test run."""
    return Registry(shared)


@pytest.fixture
def new_pipeline(
    request: pytest.FixtureRequest, template: Path, shared: Path, tmp_path: Path, engine: Engine
) -> Iterator[NewPipeline]:
    """Return a function that gives a service with a provider's pipeline, rendered once for this test run."""
    registry, osv = request.getfixturevalue("registry"), request.getfixturevalue("osv")
    with pipelines(template, shared, environment(engine, shared, registry, osv, tmp_path), request) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where the environment says that nothing may be left out."""
    report = yield
    if report.skipped and os.environ.get("REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and REQUIRE_ALL=1 forbids that: {call.excinfo}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the update of a fleet has recorded."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else []:
            terminalreporter.write_sep("=", name)
            terminalreporter.write_line(str(value))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the servers and containers that this test run started, once its last worker has ended.

    That is before pytest gives up its folder, which another test run may remove then.
    """
    config = session.config
    factory = getattr(config, "_tmp_path_factory", None)
    if factory and not hasattr(config, "workerinput"):
        try:
            stop_servers(shared_directory(config, factory))
            clean_up(shared_directory(config, factory))
        except Exception as error:  # noqa: BLE001 - what the tests have found is to be printed all the same
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            terminal = config.pluginmanager.get_plugin("terminalreporter")
            assert terminal is not None
            terminal.write_line(f"\nWhat this run has started was not stopped: {error}", red=True)
