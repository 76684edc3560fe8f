"""Passwords: Argon2id, in as many threads at once as there is memory for."""

import secrets
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Semaphore
from typing import Final, NamedTuple

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.auth.settings import AuthSettings
from app.core import context
from app.core.composed import composed
from app.core.errors import Unavailable

_LANES: Final = 1
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_PATIENCE_SECONDS: Final = 5.0


class Verdict(NamedTuple):
    """Whether a password is right, and its hash with the present parameters where the stored one has others."""

    is_right: bool
    new_hash: str | None = None


class Passwords:
    """Hashes and verifies passwords. Each call blocks for tens of milliseconds: never call it in a transaction.

    Raises:
        Unavailable: (every method) too many passwords are being hashed.
    """

    def __init__(self, memory_kib: int, iterations: int, concurrency: int) -> None:
        hasher = Argon2Hasher(
            time_cost=iterations,
            memory_cost=memory_kib,
            parallelism=_LANES,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._hasher = PasswordHash((hasher,))
        self._slots = Semaphore(concurrency)
        salt, digest = (_base64(secrets.token_bytes(size)) for size in (_SALT_BYTES, _HASH_BYTES))
        # No password has this hash; verifying against it takes the same time as against a real one.
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={iterations},p={_LANES}${salt}${digest}"

    def hash(self, password: str) -> str:
        """Return a hash of `password` to store."""
        with self._slot():
            return self._hasher.hash(composed(password))

    def verify(self, password: str, stored: str | None) -> Verdict:
        """Verify `password` against the hash `stored`. Without a hash, refuse it after the same work.

        Passwords are normalized to NFC, since keyboards enter accented letters differently (RFC 8265, 4.2.2).
        """
        normal = composed(password)
        with self._slot():
            is_right, new_hash = self._hasher.verify_and_update(normal, stored or self._nobodys)
            if not is_right and normal != password:
                # The hash was stored before passwords were normalized to NFC.
                is_right = self._hasher.verify(password, stored or self._nobodys)
                new_hash = self._hasher.hash(normal) if is_right else None
        return Verdict(is_right and stored is not None, new_hash)

    @contextmanager
    def _slot(self) -> Generator[None]:
        if not self._slots.acquire(timeout=_PATIENCE_SECONDS):
            message = "Too many users are signing in. Try again shortly."
            raise Unavailable(message)
        try:
            # A request that waited past its deadline is not hashed: nobody would read the answer.
            context.check_deadline()
            yield
        finally:
            self._slots.release()


def passwords_for(settings: AuthSettings) -> Passwords:
    """Return the one object of this process that hashes with the parameters of `settings`."""
    return _passwords(
        settings.auth_password_memory_kib, settings.auth_password_iterations, settings.auth_password_concurrency
    )


@cache
def _passwords(memory_kib: int, iterations: int, concurrency: int) -> Passwords:
    return Passwords(memory_kib, iterations, concurrency)


def _base64(content: bytes) -> str:
    return b64encode(content).decode().rstrip("=")
