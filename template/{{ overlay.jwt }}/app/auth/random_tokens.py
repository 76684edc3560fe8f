"""Tokens of 256 random bits: one round of SHA-256 is enough to store them by."""

import hashlib
import secrets


def made(prefix: str) -> str:
    """Return a new token that begins with `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """Return what `token` is stored and found as."""
    return hashlib.sha256(token.encode()).hexdigest()
