"""What the whole process knows: whether it is about to stop."""

from threading import Event

_draining = Event()


def drain() -> None:
    """Say that this process is about to stop, so that load balancers send no new requests."""
    _draining.set()


def is_draining() -> bool:
    """Return whether `drain` was called."""
    return _draining.is_set()
