"""From the value of an `Authorization` header to the caller: all checks, in their order."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from app.auth.claims import Rules
from app.auth.discovery import fetch_keys
from app.auth.kinds import check_kind
from app.auth.principal import Principal
from app.auth.provider import Provider, Schedule
from app.auth.signing_keys import KeySet, SigningKey
from app.auth.tokens import Refused, read_token, verified_claims
from app.core import clock
from app.core.settings import Settings


class Keys(Protocol):
    """Where keys are found: a provider, or a set of its keys."""

    def find(self, key_id: str | None, algorithm: str) -> SigningKey | None: ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks the access tokens of one provider for one audience."""

    algorithms: frozenset[str]
    rules: Rules
    keys: Keys
    only_at_jwt: bool

    def principal(self, authorization: str) -> Principal:
        """Return the caller whose token this is. May block, as `Provider.find` does.

        Raises:
            Refused: the token does not open this service.
            Unavailable: the keys are not there, so the token cannot be checked now.
        """
        token = read_token(authorization, self.algorithms, only_at_jwt=self.only_at_jwt)
        key = self.keys.find(token.key_id, token.algorithm)
        if key is None:
            raise Refused("its key is not known")
        claims = verified_claims(token, key)
        check_kind(claims, is_at_jwt=token.is_at_jwt)
        return self.rules.principal(claims, clock.now().timestamp())


def make_fetch(settings: Settings) -> Callable[[], KeySet] | None:
    """Return what fetches the keys of the provider that `settings` name, None where they name none."""
    if settings.auth_oidc_issuer is None:
        return None
    return partial(
        fetch_keys,
        settings.auth_oidc_issuer,
        settings.auth_oidc_algorithms,
        settings.auth_oidc_timeout_seconds,
        settings.auth_oidc_discovery_url,
    )


def make_provider(settings: Settings) -> Provider | None:
    """Return the provider that `settings` name, not asked yet; None where they name none."""
    fetch = make_fetch(settings)
    if fetch is None:
        return None
    schedule = Schedule(
        refresh=max(settings.auth_oidc_keys_refresh_seconds, settings.auth_oidc_keys_floor_seconds),
        floor=settings.auth_oidc_keys_floor_seconds,
        stale=settings.auth_oidc_keys_stale_seconds,
        patience=settings.auth_oidc_timeout_seconds,
        # As many threads as connections serve requests: half of them are for callers whose keys are known.
        waiting=settings.database_pool_size // 2,
    )
    return Provider(fetch, schedule)


def make_verifier(settings: Settings, keys: Keys) -> Verifier:
    """Return what checks tokens as `settings` say, by `keys`."""
    rules = Rules(
        issuer=settings.auth_oidc_issuer or "",
        audience=settings.auth_oidc_audience or "",
        leeway=settings.auth_oidc_leeway_seconds,
        scopes_claim=settings.auth_oidc_scopes_claim,
        roles_claim=settings.auth_oidc_roles_claim,
        audience_claim=settings.auth_oidc_audience_claim,
    )
    only_at_jwt = settings.auth_oidc_token_type == "at+jwt"  # noqa: S105 - a kind of token
    return Verifier(frozenset(settings.auth_oidc_algorithms), rules, keys, only_at_jwt)
