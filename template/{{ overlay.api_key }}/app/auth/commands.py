"""`app keys`: API keys from the command line."""

from datetime import datetime
from uuid import UUID

import click
from pydantic import ValidationError

from app.auth import keys
from app.auth.principal import Principal
from app.db.commands import opened_database
from app.schemas.keys import KeyCreate, KeyQuery, KeyRead

_OPERATOR = Principal("command line")


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


@click.group("keys")
def command() -> None:
    """Make, list and revoke API keys."""


@command.command()
@click.option("--owner", required=True, help="The subject that calls with this key.")
@click.option("--scopes", required=True, help="Scopes, by comma.")
@click.option("--roles", default="", help="Roles, by comma: admin.")
@click.option("--expires", default=None, help="From when the key is refused, like 2027-01-31T00:00:00Z.")
def create(owner: str, scopes: str, roles: str, expires: str | None) -> None:
    """Make a key and print it, alone on the last line."""
    wanted = {"owner": owner, "scopes": _split(scopes), "roles": _split(roles), "expires_at": expires}
    try:
        data = KeyCreate.model_validate(wanted)
    except ValidationError as error:
        found = error.errors()[0]
        option = {"expires_at": "expires"}.get(str(found["loc"][0]), str(found["loc"][0]))
        raise click.UsageError(f"--{option}: {found['msg']}.") from None
    with opened_database() as database:
        created = database.write(keys.create, data.to(keys.KeyGrant))
    click.echo(f"Key {created.id} for {created.owner}. It is not shown again:", err=True)
    click.echo(created.key)


@command.command("list")
def list_() -> None:
    """List the keys that are not revoked, newest first."""
    with opened_database() as database:
        page = database.read(keys.list_keys, _OPERATOR, KeyQuery(limit=100))
        while True:
            for key in page.data:
                click.echo(_line(key))
            if page.next_cursor is None:
                return
            page = database.read(keys.list_keys, _OPERATOR, KeyQuery(limit=100, cursor=page.next_cursor))


@command.command()
@click.argument("key_id", type=click.UUID)
def revoke(key_id: UUID) -> None:
    """Revoke the key with this id."""
    with opened_database() as database:
        database.write(keys.revoke, key_id)
    click.echo(f"Key {key_id} is revoked.")


def _line(key: KeyRead) -> str:
    def when(instant: datetime | None) -> str:
        return instant.isoformat(timespec="seconds") if instant else "never"

    granted = ",".join([*key.scopes, *(f"role:{role}" for role in key.roles)]) or "-"
    times = [f"expires {when(key.expires_at)}", f"used {when(key.last_used_at)}"]
    return "  ".join([str(key.id), key.prefix, key.owner, granted, *times])
