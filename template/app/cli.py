"""`app`: the service's command line."""

import sys
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from app.auth.style import COMMANDS
from app.core.about import VERSION
from app.core.errors import AppError, SettingsError
from app.core.settings import get_settings


@click.group()
@click.version_option(VERSION, prog_name="app")
def cli() -> None:
    """Run and operate this service."""


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
@click.option("--dry-run", is_flag=True, help="Only print the SQL of what is missing up to the newest.")
@click.argument("revision", default="head")
def migrate(revision: str, *, dry_run: bool) -> None:
    """Bring the database up to REVISION (the newest by default)."""
    from alembic.util import CommandError  # noqa: PLC0415 - the other commands start faster without

    from app.db.migrate import pending_sql, upgrade  # noqa: PLC0415 - the same

    try:
        if dry_run:
            click.echo(pending_sql(get_settings()) or "Nothing to do: the database is current.")
            return
        upgrade(get_settings(), revision)
    except CommandError as error:
        raise click.ClickException(f"{error}.") from error
    click.echo(f"The database is at {revision}.")


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


for _command in COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run the command line; what goes wrong is one sentence on standard error."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        # Some of click's sentences go on in a list.
        click.echo(f"Error: {' '.join(error.format_message().split())}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except (SettingsError, AppError, OSError) as error:
        sys.exit(f"Error: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"Error: the database refused: {str(error).splitlines()[0]} (was it migrated? uv run just migrate)")


if __name__ == "__main__":
    main()
