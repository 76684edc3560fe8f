"""`app`, or `python -m app`: runs the command line. What goes wrong is one sentence on standard error."""

import sys

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.core.errors import AppError, SettingsError, Unavailable


def main() -> None:
    """Run the command line."""
    try:
        from app.metrics.processes import shared_directory  # noqa: PLC0415 - a feature that does not fit in is found there

        with shared_directory(sys.argv[1:]):
            from app.cli import cli  # noqa: PLC0415 - a feature or an error that does not fit in is found there, too

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
        sys.exit(f"Error: {error}{_reason(error)}")
    except SQLAlchemyError as error:
        sys.exit(f"Error: the database refused: {_first_line(error)}{_way_out(error)}")


def _first_line(error: SQLAlchemyError) -> str:
    # The statement follows.
    return str(error).splitlines()[0]


def _reason(error: Exception) -> str:
    """Return why the database is away, which clients are not told."""
    cause = error.__cause__
    is_away = isinstance(error, Unavailable) and error.message == Unavailable.default
    return f" {_first_line(cause)}" if is_away and isinstance(cause, SQLAlchemyError) else ""


def _way_out(error: SQLAlchemyError) -> str:
    from app.db.dialect import is_unmigrated  # noqa: PLC0415 - it is there, since the database has answered

    is_old = isinstance(error, DBAPIError) and is_unmigrated(error)
    return " (was it migrated? uv run just migrate)" if is_old else ""


if __name__ == "__main__":
    main()
