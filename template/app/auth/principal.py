"""The caller."""

from dataclasses import dataclass, field
from typing import NamedTuple

ADMIN = "admin"


class Credentials(NamedTuple):
    """The values of the headers that can hold a credential, as sent: none, one, or (always refused) several."""

    authorization: tuple[str, ...] = ()
    api_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who the caller is: a stable subject, and what was granted to them."""

    subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    def may_see(self, owner: str) -> bool:
        """Return whether what `owner` owns exists for this caller."""
        return self.is_admin or self.subject == owner
