"""`app users`: what users may do, decided from the command line."""

from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from app.auth import users
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
            raise click.BadParameter(f"{name!r} is no scope of this service.")
    return names


@click.group("users")
def users_command() -> None:
    """Grant roles, limit scopes, sign users out."""


@users_command.command()
@click.argument("email")
@click.argument("role", type=click.Choice(users.ROLES), metavar="ROLE")
def grant(email: str, role: str) -> None:
    """Give the user with EMAIL a ROLE."""
    _write(lambda session: users.grant(session, email, role))
    click.echo(f"{email} has the role {role}.")


@users_command.command()
@click.argument("email")
@click.argument("role", type=click.Choice(users.ROLES), metavar="ROLE")
def revoke(email: str, role: str) -> None:
    """Take a ROLE from the user with EMAIL."""
    _write(lambda session: users.revoke(session, email, role))
    click.echo(f"{email} no longer has the role {role}.")


@users_command.command()
@click.argument("email")
@click.argument("scopes", callback=_scopes)
def limit(email: str, scopes: list[str] | None) -> None:
    """Let the user with EMAIL have no other SCOPES.

    They are separated by commas; 'all' are all that there are, and '' is none.
    """
    _write(lambda session: users.limit(session, email, scopes))
    click.echo(f"{email} can have {_ALL if scopes is None else ', '.join(scopes) or 'no'} scopes.")


@users_command.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of the user with EMAIL."""
    _write(lambda session: users.sign_out(session, email))
    click.echo(f"{email} is signed out everywhere.")
