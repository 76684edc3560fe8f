"""`app`: the service's command line."""

from pathlib import Path

import click

from app.core import features
from app.core.about import VERSION
from app.core.errors import FeatureError
from app.core.failures import with_table
from app.core.settings import get_settings


@click.group()
@click.version_option(VERSION, prog_name="app")
def cli() -> None:
    """Run and operate this service."""


@cli.result_callback()
def _succeed(*_: object, **__: object) -> None:
    """Return nothing, whatever a command returns: it would be taken for an exit status."""


@cli.command()
@click.option("--reload", is_flag=True, help="Start again when a file changes (for development).")
def serve(*, reload: bool) -> None:
    """Serve requests on HOST:PORT with WORKERS processes. Does not migrate the database."""
    from app.db.migrate import upgrade  # noqa: PLC0415 - the other commands start faster without
    from app.main import serve as run  # noqa: PLC0415

    settings = get_settings()
    if settings.environment == "development" and settings.database_url is None:
        # The embedded database of a fresh clone: nobody else could have migrated it.
        upgrade(settings)
    run(settings, reload=reload)


@cli.command()
@click.option("--check", is_flag=True, help="Only say whether the file is current.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default=Path("openapi.json"))
def openapi(path: Path, *, check: bool) -> None:
    """Write the OpenAPI document to PATH (openapi.json by default)."""
    from app.main import openapi_json  # noqa: PLC0415 - the other commands start faster without

    document = openapi_json()
    if not check:
        path.write_text(document, "utf-8")
    elif not path.exists() or path.read_text("utf-8") != document:
        raise click.ClickException(f"{path} is not what the code produces. Run: uv run just openapi")


@cli.command()
@click.option("--check", is_flag=True, help="Only say whether the table is current.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default=Path("docs/errors.md"))
def errors(path: Path, *, check: bool) -> None:
    """Write the table of errors into PATH (docs/errors.md by default)."""
    page = path.read_text("utf-8")
    written = with_table(page)
    if not check:
        path.write_text(written, "utf-8")
    elif written != page:
        raise click.ClickException(f"{path} does not show the errors that the code has. Run: uv run just errors")


for _folder, _command in features.parts("commands").items():
    if _command.name in cli.commands:
        raise FeatureError(f"app/{_folder}/commands.py has a command `{_command.name}`, and there is one already.")
    cli.add_command(_command)
