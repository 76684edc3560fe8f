"""What a caller needs: each endpoint declares it, one function checks it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.auth.principal import Principal
from app.core.errors import Forbidden
from app.observability.security_log import record

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """What an endpoint asks of its caller: nothing (`public`), or to be known and to have scopes and roles."""

    public: bool = False
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def check(self, principal: Principal) -> None:
        """Do nothing if `principal` has all that is needed.

        Raises:
            Forbidden: a scope or a role is missing.
        """
        scopes, roles = self.scopes - principal.scopes, self.roles - principal.roles
        if scopes or roles:
            record("authz_fail", missing_scopes=sorted(scopes), missing_roles=sorted(roles))
            raise Forbidden


def _declare(access: Access) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["access"] = access
        return endpoint

    return mark


def public(endpoint: Endpoint) -> Endpoint:
    """Declare that anybody may call `endpoint`."""
    return _declare(Access(public=True))(endpoint)


def requires(*scopes: str, role: str | None = None) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: the endpoint is for known callers that have all `scopes`, and `role` if one is named."""
    return _declare(Access(scopes=frozenset(scopes), roles=frozenset({role} if role else ())))


def access_of(endpoint: Callable[..., Any]) -> Access:
    """Return what `endpoint` declares.

    Raises:
        TypeError: it declares nothing. Closed by default: a service with such a route does not start.
    """
    access: Access | None = endpoint.__dict__.get("access")
    if access is None:
        raise TypeError(f"{endpoint!r} declares no access: put @public or @requires(...) from app.auth.policy on it")
    return access
