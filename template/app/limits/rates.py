"""Rates as people write them, `300/minute`."""

import re
from functools import lru_cache
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE: Final = re.compile("([1-9][0-9]{0,6})/(" + "|".join(_SECONDS) + ")")


class Quota(NamedTuple):
    """So many calls in so many seconds."""

    amount: int
    seconds: int


@lru_cache(maxsize=256)
def quota(rate: str) -> Quota:
    """Return what `rate` allows.

    Raises:
        ValueError: it is not written like a rate; the message says how it should be.
    """
    found = _RATE.fullmatch(rate)
    if found is None:
        message = f"write it like 300/minute: a number from 1 to 9999999, and one of {', '.join(_SECONDS)}"
        raise ValueError(message)
    return Quota(int(found[1]), _SECONDS[found[2]])


def _checked(rate: str) -> str:
    quota(rate)
    return rate


Rate = Annotated[str, AfterValidator(_checked)]
"""The type of a setting that is a rate."""
