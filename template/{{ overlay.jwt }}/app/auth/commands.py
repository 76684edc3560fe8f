"""`app users`: what users may do, decided from the command line."""

from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from app.auth import administration, one_time, sessions, users
from app.core.scopes import SCOPES
from app.db.commands import opened_database

_ALL = "all"


def _write(change: Callable[[Session], None]) -> None:
    with opened_database() as database:
        database.write(change)


def _scopes(_context: click.Context, _parameter: click.Parameter, value: str) -> list[str] | None:
    if value == _ALL:
        return None
    names = [name.strip() for name in value.split(",") if name.strip()]
    for name in names:
        if name not in SCOPES:
            raise click.BadParameter(f"This service has no scope {name!r}.")
    return names


@click.group("users")
def command() -> None:
    """Grant roles, limit scopes, disable and delete users, reset passwords, end sessions."""


@command.command()
@click.argument("email")
@click.argument("role", type=click.Choice(administration.ROLES), metavar="ROLE")
def grant(email: str, role: str) -> None:
    """Give the user with EMAIL a ROLE."""
    _write(lambda session: administration.grant(session, email, role))
    click.echo(f"{email} has the role {role}.")


@command.command()
@click.argument("email")
@click.argument("role", type=click.Choice(administration.ROLES), metavar="ROLE")
def revoke(email: str, role: str) -> None:
    """Take a ROLE from the user with EMAIL."""
    _write(lambda session: administration.revoke(session, email, role))
    click.echo(f"{email} no longer has the role {role}.")


@command.command()
@click.argument("email")
@click.argument("scopes", callback=_scopes)
def limit(email: str, scopes: list[str] | None) -> None:
    """Limit the user with EMAIL to SCOPES.

    Separate scopes by commas; 'all' removes the limit, and '' leaves no scopes.
    """
    _write(lambda session: administration.limit(session, email, scopes))
    click.echo(f"{email} can have {_ALL if scopes is None else ', '.join(scopes) or 'no'} scopes.")


@command.command()
@click.argument("email")
def disable(email: str) -> None:
    """Keep the user with EMAIL from signing in, and end all sessions; nothing is deleted."""
    _write(lambda session: administration.disable(session, email))
    click.echo(f"{email} is disabled.")


@command.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the user with EMAIL sign in again."""
    _write(lambda session: administration.enable(session, email))
    click.echo(f"{email} is enabled.")


@command.command()
@click.argument("email")
@click.confirmation_option(prompt="The user cannot be brought back. Go on?")
def delete(email: str) -> None:
    """Delete the user with EMAIL, sessions included; what the user owns stays."""
    _write(lambda session: administration.remove(session, email))
    click.echo(f"{email} is deleted.")


@command.command()
@click.argument("email")
def reset(email: str) -> None:
    """Make a token with which the user with EMAIL sets a new password, and print it, alone on the last line."""
    with opened_database() as database:
        seconds = database.settings.auth_one_time_token_seconds
        message = database.write(users.reset_token, email, seconds)
    click.echo(f"Good once, for {seconds} seconds, at POST /v1/auth/password:", err=True)
    click.echo(message.token if message else "")


@command.command()
def clean() -> None:
    """Delete expired sessions and tokens. Run it every day."""
    with opened_database() as database:
        database.write(one_time.forget_expired)
        count = database.write(sessions.forget_dead, database.settings)
    click.echo(f"Sessions deleted: {count}.")


@command.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of the user with EMAIL."""
    _write(lambda session: administration.sign_out(session, email))
    click.echo(f"{email} is signed out everywhere.")
