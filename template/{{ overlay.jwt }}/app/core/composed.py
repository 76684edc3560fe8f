"""One form for texts that look the same."""

import unicodedata


def composed(text: str) -> str:
    """Return `text` with its letters composed (NFC): keyboards enter accented ones differently. It can grow."""
    return unicodedata.normalize("NFC", text)
