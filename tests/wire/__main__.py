"""Check a running service by hand: `python -m tests.wire http://localhost:8000 --auth api_key --alice KEY …`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import fields

from . import report
from .registry import STYLES, run
from .service import Credentials


def main() -> int:
    """Print each check with its time, then what failed; return 1 when anything did."""
    options = arguments()
    names = [field.name for field in fields(Credentials)]
    credentials = Credentials(**{name: header(options.auth, getattr(options, name)) for name in names})
    failed: dict[str, list[str]] = {}
    number, began = 0, time.monotonic()
    settings = {
        "auth": options.auth,
        "credentials": credentials,
        "example": not options.no_example,
        "secret": options.secret,
        "only": options.only,
    }
    for check, failures, seconds in run(options.base_url, **settings):
        number += 1
        sys.stdout.write(f"{'FAIL' if failures else 'ok':4} {seconds:6.2f} s  {check.name}\n")
        if failures:
            failed[check.name] = failures
    if failed:
        sys.stdout.write(f"\n{report(failed, number, options.base_url)}\n")
    sys.stdout.write(f"\n{number} checks, {len(failed)} failed, {time.monotonic() - began:.1f} s\n")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.wire", description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--auth", choices=sorted(STYLES), default="none")
    parser.add_argument("--no-example", action="store_true", help="the service has no orders")
    parser.add_argument("--secret", default="", help="the first of AUTH_JWT_SECRET, to forge tokens with it")
    parser.add_argument("--only", default="", help="run the checks whose name holds this text")
    for field in fields(Credentials):
        parser.add_argument(f"--{field.name}", default="", metavar="KEY", help=f"{field.name}'s key or token")
    return parser.parse_args()


def header(auth: str, secret: str) -> dict[str, str]:
    """Return the request header that holds the secret in this style."""
    if auth == "none" or not secret:
        return {}
    return {"X-API-Key": secret} if auth == "api_key" else {"Authorization": f"Bearer {secret}"}


if __name__ == "__main__":
    sys.exit(main())
