"""From the value of an `Authorization` header to the caller: all checks, in their order."""

from dataclasses import dataclass
from functools import partial

from app.auth.claims import Rules
from app.auth.discovery import fetch_keys
from app.auth.principal import Principal
from app.auth.provider import Provider, Schedule
from app.auth.tokens import Refused, read_token, verified_claims
from app.core import clock
from app.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks the access tokens of one provider for one audience."""

    algorithms: frozenset[str]
    rules: Rules
    provider: Provider

    def principal(self, authorization: str) -> Principal:
        """Return the caller whose token this is. May block; see `Provider.find`.

        Raises:
            Refused: the token does not open this service.
            Unavailable: the provider was never reached, so nobody's token can be checked.
        """
        token = read_token(authorization, self.algorithms)
        key = self.provider.find(token.key_id, token.algorithm)
        if key is None:
            raise Refused("its key is not known")
        return self.rules.principal(verified_claims(token, key), clock.now().timestamp())


def make_verifier(settings: Settings) -> Verifier | None:
    """Return what checks tokens as `settings` say; None where they name no provider."""
    issuer, audience = settings.auth_oidc_issuer, settings.auth_oidc_audience
    if issuer is None or audience is None:
        return None
    algorithms = frozenset(settings.auth_oidc_algorithms)
    rules = Rules(
        issuer=issuer,
        audience=audience,
        leeway=settings.auth_oidc_leeway_seconds,
        scopes_claim=settings.auth_oidc_scopes_claim,
        roles_claim=settings.auth_oidc_roles_claim,
    )
    schedule = Schedule(
        refresh=max(settings.auth_oidc_keys_refresh_seconds, settings.auth_oidc_keys_floor_seconds),
        floor=settings.auth_oidc_keys_floor_seconds,
        stale=settings.auth_oidc_keys_stale_seconds,
        patience=settings.auth_oidc_timeout_seconds,
    )
    fetch = partial(fetch_keys, issuer, algorithms, settings.auth_oidc_timeout_seconds)
    return Verifier(algorithms, rules, Provider(fetch, schedule))
