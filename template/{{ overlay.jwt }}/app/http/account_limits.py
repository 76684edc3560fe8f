"""Attempts at accounts: each one after too many has to wait, from where it comes from, and longer each time."""

import hashlib
import math
from typing import Final

from app.auth.addresses import folded
from app.core import context
from app.core.about import SLUG
from app.core.settings import Settings
from app.limits.clients import Origin, origins_of
from app.limits.counters import counters
from app.limits.limit import refusal
from app.limits.rates import quota
from app.limits.storages import Storage
from app.observability.security_log import record
from app.schemas.users import if_address

_LONGEST_WAIT_SECONDS: Final = 900
_MOST_DOUBLINGS: Final = 20
_REMEMBERED_SECONDS: Final = 86_400


def count_account(settings: Settings, account: str) -> None:
    """Count one more attempt to sign in to `account` from where the current request comes from.

    Other origins are not held up by it: nobody can lock the user of an account out.

    Raises:
        TooManyRequests: there were more than RATE_LIMIT_LOGIN since the last that succeeded, and the time that each
            further one has to wait, twice as long as the one before it, is not over.
    """
    if not settings.rate_limit_enabled:
        return
    limit = quota(settings.rate_limit_login)
    for origin in _origins():
        wait = _attempt(settings, _key_of(account, origin), limit.amount * origin.share, limit.seconds)
        if wait:
            record("authn_login_fail_max", account=if_address(account))
            raise refusal("account", math.ceil(wait))


def forgive_account(settings: Settings, account: str) -> None:
    """Reset the attempts at `account` from this address, after a successful sign-in."""
    if settings.rate_limit_enabled:
        names = [name for origin in _origins() for name in _names(_key_of(account, origin))]
        counters(settings).ask_anyway(lambda storage: storage.clear(*names))


def _attempt(settings: Settings, key: str, free: int, seconds: int) -> float:
    """Count one more attempt, and return 0 if it may be made, else the seconds after which one may be.

    After `free` attempts the next has to wait for its share of `seconds`, and then for twice as long each time.
    """
    attempts, turn = _names(key)

    def count(storage: Storage) -> float:
        left = storage.seconds_left(turn)
        if not left:
            tried = storage.count(attempts, _REMEMBERED_SECONDS).number
            wait = min(seconds / free * 2 ** min(max(tried - free - 1, 0), _MOST_DOUBLINGS), _LONGEST_WAIT_SECONDS)
            if tried <= free:
                return 0
            taken = storage.count(turn, math.ceil(wait))
            # Of several concurrent attempts, only the first may proceed.
            if taken.number == 1:
                return 0
            left = taken.seconds_left
        return max(left, 1)

    return counters(settings).ask_anyway(count)


def _origins() -> tuple[Origin, ...]:
    current = context.current()
    return origins_of(current.client if current else "")


def _key_of(account: str, origin: Origin) -> str:
    """Return what attempts to sign in are counted under; whoever reads the storage learns no account from it."""
    return f"{SLUG}/account/{hashlib.sha256(folded(account).encode()).hexdigest()}/{origin.key}"


def _names(key: str) -> tuple[str, str]:
    """Return the names of the number of attempts, and of the turn that one of them has taken."""
    return f"{key}/attempts", f"{key}/turn"
