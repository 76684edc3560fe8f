"""`app idempotency`: what is kept of requests that may be sent again."""

import click

from app.db.commands import opened_database
from app.idempotency import keys

_AT_ONCE = 1000


@click.group("idempotency")
def command() -> None:
    """Look after stored answers."""


@command.command()
def purge() -> None:
    """Delete the answers that are kept for nobody any more (IDEMPOTENCY_KEY_SECONDS). Run it every hour or so."""
    count = 0
    with opened_database() as database:
        while some := database.write(keys.purge, _AT_ONCE):
            count += some
    click.echo(f"Deleted {count}.")
