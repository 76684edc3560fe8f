"""Optimistic concurrency: what a client requires of the version that it is about to change (RFC 9110, 13.1)."""

from dataclasses import dataclass

from app.core.errors import PreconditionFailed

ANY = "*"


def etag(version: int) -> str:
    """Return the strong entity tag of a resource's `version`."""
    return f'"{version}"'


@dataclass(frozen=True, slots=True)
class Precondition:
    """The entity tags of `If-Match` and `If-None-Match`; empty sets are headers that were not sent.

    `matches` holds strong tags only, since `If-Match` compares strongly. A header that was sent and holds no
    usable tag is a set with the empty string, which equals no version.
    """

    matches: frozenset[str] = frozenset()
    none_matches: frozenset[str] = frozenset()

    def require(self, version: int) -> None:
        """Check that `version` is one that the client expects.

        Raises:
            PreconditionFailed: the client holds another version.
        """
        tag = etag(version)
        if self.matches and not self.matches & {tag, ANY}:
            raise PreconditionFailed
        if self.none_matches & {tag, ANY}:
            raise PreconditionFailed


UNCONDITIONAL = Precondition()
