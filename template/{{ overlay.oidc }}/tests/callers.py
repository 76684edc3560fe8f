"""Callers, each with an access token of a provider that is there for the tests."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from app.db.database import Database
from tests.provider import running_provider
from tests.tokens import AUDIENCE, claims_of, rsa_key, signed

SIGN_IN: Final[frozenset[str]] = frozenset()
"""The public paths that give out credentials, the provider does."""

OWN: Final[frozenset[str]] = frozenset()
"""The paths about the caller itself, for which no scope or role is needed."""

BROKEN_RULES: Final[frozenset[str]] = frozenset()
"""The codes of details that refuse what the schemas allow: none."""


def headers_for(
    database: Database, subject: str, scopes: Sequence[str] = (), roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which `subject` calls, granted `scopes` and `roles`."""
    granted = {"scope": " ".join(scopes), "roles": list(roles)}
    claims = claims_of(str(database.settings.auth_oidc_issuer), sub=subject, **granted)
    return {"Authorization": f"Bearer {signed({'alg': 'RS256', 'kid': 'first'}, claims, rsa_key('first'))}"}


@contextmanager
def scheme_settings() -> Generator[dict[str, Any]]:
    """Yield what the settings of the tests have beside those of every service: a provider, which runs for that long."""
    with running_provider() as provider:
        yield {"auth_oidc_issuer": provider.issuer, "auth_oidc_audience": AUDIENCE}
