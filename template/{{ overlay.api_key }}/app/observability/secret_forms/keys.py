"""Keys of this service."""

FORM = r"\bkey_[0-9a-f]{16}\.\S+"
