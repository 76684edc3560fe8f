"""The caller."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

ADMIN = "admin"


def _parts(lines: Sequence[str]) -> list[str]:
    return [part.strip(" \t") for line in lines for part in line.split(",")]


class Credentials(NamedTuple):
    """The values of the headers that can hold a credential, as sent: none, one, or (always refused) several."""

    authorization: tuple[str, ...] = ()
    api_key: tuple[str, ...] = ()

    @classmethod
    def sent(cls, authorization: Sequence[str], api_key: Sequence[str]) -> "Credentials":
        """Return the credentials in these header lines, without the white space around them (RFC 9110, 5.5).

        Some servers join lines with commas, which no credential of ours has: each part counts as a line.
        """
        return cls(tuple(_parts(authorization)), tuple(_parts(api_key)))

    @property
    def is_ambiguous(self) -> bool:
        """Whether a header stands there twice, so that two readers could take two callers from it."""
        return len(self.authorization) > 1 or len(self.api_key) > 1


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
