"""What a caller needs: each endpoint declares it, one function checks it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.auth.principal import Principal
from app.core.errors import Forbidden, RouteError
from app.observability.security_log import record

Endpoint = TypeVar("Endpoint")


@dataclass(frozen=True, slots=True)
class Access:
    """What an endpoint asks of its caller: nothing (`public`), or to be known and to have scopes and roles."""

    public: bool = False
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def check(self, principal: Principal) -> None:
        """Check that `principal` has every required scope and role.

        Raises:
            Forbidden: a scope or a role is missing.
        """
        scopes, roles = self.scopes - principal.scopes, self.roles - principal.roles
        if scopes or roles:
            record("authz_fail", missing_scopes=sorted(scopes), missing_roles=sorted(roles))
            raise Forbidden


def _declare(access: Access) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        before = declared_access(endpoint) or access
        if before.public != access.public:
            raise RouteError(f"{name_of(endpoint)} is declared both @public and @requires(...).")
        both = Access(access.public, before.scopes | access.scopes, before.roles | access.roles)
        setattr(endpoint, "access", both)  # noqa: B010 - of whatever can be called
        return endpoint

    return mark


def public(endpoint: Endpoint) -> Endpoint:
    """Declare that anybody may call `endpoint`: a function, or all that is in an application or a group of routes."""
    return _declare(Access(public=True))(endpoint)


def requires(*scopes: str, role: str | None = None) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: the endpoint is for known callers that have all `scopes`, and `role` if one is named.

    Several of them add up.
    """
    return _declare(Access(scopes=frozenset(scopes), roles=frozenset({role} if role else ())))


def declared_access(endpoint: object) -> Access | None:
    """Return what `endpoint` declares, or None if it declares nothing."""
    access = getattr(endpoint, "__dict__", {}).get("access")
    return access if isinstance(access, Access) else None


def name_of(endpoint: object) -> str:
    """Return the name of `endpoint` for people."""
    name = getattr(endpoint, "__qualname__", None) or type(endpoint).__qualname__
    return f"{getattr(endpoint, '__module__', '')}.{name}"
