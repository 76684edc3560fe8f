"""`app oidc`: what the identity provider says, from the command line."""

import sys

import click

from app.auth.discovery import ProviderError
from app.auth.tokens import Refused
from app.auth.verifier import Verifier, make_fetch, make_verifier
from app.core.settings import get_settings


@click.group("oidc")
def command() -> None:
    """Look at the identity provider as this service does."""


@command.command()
@click.option("--token", is_flag=True, help="Also check the access token on standard input.")
def check(*, token: bool) -> None:
    """Fetch the provider's keys, and say what is wrong with them or with a token."""
    settings = get_settings()
    fetch = make_fetch(settings)
    if fetch is None or settings.auth_oidc_audience is None:
        raise click.ClickException("AUTH_OIDC_ISSUER and AUTH_OIDC_AUDIENCE are not both set.")
    allowed = settings.auth_oidc_algorithms
    try:
        keys = fetch()
    except ProviderError as error:
        raise click.ClickException(f"{error}.") from None
    if not keys.keys:
        raise click.ClickException(f"The provider has no key for {', '.join(allowed)} (AUTH_OIDC_ALGORITHMS).")
    for key in keys.keys:
        click.echo(f"Key {key.key_id or 'without a name'}: {', '.join(sorted(key.algorithms))}")
    if token:
        _tell(make_verifier(settings, keys), sys.stdin.read())


def _tell(verifier: Verifier, token: str) -> None:
    try:
        caller = verifier.principal(f"Bearer {token.strip()}")
    except Refused as refusal:
        raise click.ClickException(f"The token is refused: {refusal}.") from None
    click.echo(f"Subject: {caller.subject}")
    click.echo(f"Scopes: {' '.join(sorted(caller.scopes)) or 'none'}")
    click.echo(f"Roles: {' '.join(sorted(caller.roles)) or 'none'}")
