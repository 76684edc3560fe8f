"""The caller."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

ADMIN = "admin"


class Credentials(NamedTuple):
    """The values of the header that says who calls, as sent: none, one, or (always refused) several."""

    values: tuple[str, ...] = ()

    @classmethod
    def sent(cls, lines: Sequence[str]) -> "Credentials":
        """Return the credentials in these header lines, without the white space around them (RFC 9110, 5.5).

        Some servers join lines with commas, which no credential of ours has: each part counts as a line.
        """
        return cls(tuple(part.strip(" \t") for line in lines for part in line.split(",")))

    @property
    def only(self) -> str | None:
        """The one that was sent. None for several, since two readers could take two callers from them."""
        return self.values[0] if len(self.values) == 1 else None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who the caller is: a stable subject, what was granted to them, and their session where there are any."""

    subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)
    session: UUID | None = None

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    def may_see(self, owner: str) -> bool:
        """Return whether what `owner` owns exists for this caller."""
        return self.is_admin or self.subject == owner
