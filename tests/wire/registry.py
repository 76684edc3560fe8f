"""The list of checks, and the run that collects what they find."""

from __future__ import annotations

import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx2

from .service import Credentials, Service, UnmetError
from .sockets import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Facts = Callable[[Service], None]


@dataclass(frozen=True)
class Check:
    """A fact about every service, or about those with orders or with a certain kind of auth."""

    facts: Facts
    name: str
    orders: bool
    auth: str | None

    def applies(self, service: Service, *, example: bool) -> bool:
        """Return whether this service promises the fact."""
        if self.orders and not example:
            return False
        styles = {None: STYLES, "any": STYLES - {"none"}, "bearer": {"jwt", "oidc"}}
        return service.auth in styles.get(self.auth, {self.auth})


CHECKS: list[Check] = []

STYLES = {"none", "api_key", "jwt", "oidc"}

# Checks are independent; a few at a time keep the service busy, and are an honest load.
WORKERS = 4


def check(*, orders: bool = True, auth: str | None = None) -> Callable[[Facts], Facts]:
    """Register a check; `auth` is a style, `any` that knows its callers, or `bearer` for all with signed tokens."""

    def register(facts: Facts) -> Facts:
        section = facts.__module__.rpartition(".")[2]
        fact = getattr(facts, "__name__", "").replace("_", " ")
        CHECKS.append(Check(facts, f"{section}: {fact}", orders, auth))
        return facts

    return register


def run(
    base_url: str, *, auth: str, credentials: Credentials, example: bool, secret: str = "", only: str = ""
) -> Iterator[tuple[Check, list[str], float]]:
    """Yield each check that applies, what it found wrong, and how many seconds it took."""
    limits = httpx2.Limits(max_connections=100)
    with (
        httpx2.Client(timeout=30, limits=limits, trust_env=False, follow_redirects=False) as client,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        service = Service(base_url.rstrip("/"), auth, credentials, client, secret)
        chosen = [each for each in CHECKS if only in each.name and each.applies(service, example=example)]
        yield from pool.map(lambda each: outcome(each, replace(service, failures=[])), chosen)


def outcome(check_: Check, service: Service) -> tuple[Check, list[str], float]:
    """Return the check, what it found wrong, and how many seconds it took."""
    began = time.monotonic()
    failures = failures_of(check_, service)
    return check_, failures, time.monotonic() - began


def failures_of(check_: Check, service: Service) -> list[str]:
    """Return what one check found wrong; that it could not finish is a finding too."""
    try:
        check_.facts(service)
    except UnmetError as error:
        service.failures.append(str(error))
    except (NoAnswerError, httpx2.HTTPError) as error:
        service.failures.append(f"no answer: {type(error).__name__}: {error}\n{where(error)}")
    except Exception as error:  # noqa: BLE001 - one check's surprise must not hide what the others find
        service.failures.append(f"the answer was not understood: {error!r}\n{where(error)}")
    return service.failures


def where(error: BaseException) -> str:
    """Return the lines of our own checks that led to the error."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "wire" in frame.filename]
    return "\n".join(f"  at {frame.name}, line {frame.lineno}: {frame.line}" for frame in frames)
