"""What a provider says about a caller, once the signature is right: for whom, how long, and what was granted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.auth.principal import Principal
from app.auth.tokens import Refused

Claims = Mapping[str, object]

# The column `owner` holds as many characters; databases and logs do not want the ones that cannot be seen.
_SUBJECT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,128}")
# The last second of the year 9999: a later one is no time that anybody means.
_LATEST: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Rules:
    """What the claims of a token must say, and where they say what was granted."""

    issuer: str
    audience: str
    leeway: int
    scopes_claim: str
    roles_claim: str
    audience_claim: str = "aud"

    def principal(self, claims: Claims, now: float) -> Principal:
        """Return the caller that `claims` are about, at `now` in seconds since 1970.

        Raises:
            Refused: a claim is missing, has another form, or does not hold here and now.
        """
        if claims.get("iss") != self.issuer:
            raise Refused("its issuer is another")
        if self.audience not in _audiences(_found(claims, self.audience_claim)):
            raise Refused("its audience is another")
        self._check_times(claims, now)
        subject = claims.get("sub")
        if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
            raise Refused("its subject is not valid")
        scopes, roles = _found(claims, self.scopes_claim), _found(claims, self.roles_claim)
        return Principal(subject, scopes=_names(scopes), roles=_names(roles))

    def _check_times(self, claims: Claims, now: float) -> None:
        if "exp" not in claims or now - self.leeway >= _time(claims, "exp"):
            raise Refused("it has expired, or never does")
        for name in ("nbf", "iat"):
            if name in claims and now + self.leeway < _time(claims, name):
                raise Refused("it is not valid yet")


def _time(claims: Claims, name: str) -> float:
    """Return the seconds since 1970 in a claim, which may have a fraction (RFC 7519, 2)."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise Refused(f"its {name} is no time")
    return value


def _audiences(value: object) -> list[str]:
    """Return whom the token is for: one or, as providers do when they add a client or themselves, several."""
    values = value if isinstance(value, list) else [value]
    names = [each for each in values if isinstance(each, str)]
    return names if len(names) == len(values) else []


def _found(claims: Claims, path: str) -> object:
    """Return the claim at `path`: a whole name, which may hold dots, or names of nested objects joined by dots."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _names(value: object) -> frozenset[str]:
    """Return the names in a string, separated by spaces (RFC 8693, 4.2), or in a list; of any other form, none."""
    if isinstance(value, str):
        return frozenset(value.split(" ")) - {""}
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return frozenset(value)
    return frozenset()
