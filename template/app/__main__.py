"""`app`, or `python -m app`: runs the command line. What goes wrong is one sentence on standard error."""

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import AppError, SettingsError


def main() -> None:
    """Run the command line."""
    try:
        from app.cli import cli  # noqa: PLC0415 - a feature or an error that does not fit in is found there

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
