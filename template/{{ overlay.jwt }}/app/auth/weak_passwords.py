"""Passwords that are tried first: by everybody, or for this account (ASVS 5.0, 6.1.2, 6.2.4 and 6.2.11)."""

import unicodedata

from app.core.about import NAME, SLUG
from app.core.errors import Detail, Invalid


def require_strong(password: str, email: str) -> None:
    """Refuse a `password` that is easy to guess.

    Raises:
        Invalid: it is one of the 30,000 most common ones, the `email` of its user, or the name of this service.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - 30,000 words, which only this asks for

    plain = _plain(password)
    address = _plain(email)
    if plain in {address, address.partition("@")[0], _plain(NAME), _plain(SLUG)}:
        reason = "It is the address of the account, or the name of the service"
    elif plain in FREQUENCY_LISTS["passwords"]:
        reason = "It is one of the most common passwords"
    else:
        return
    raise Invalid(details=[Detail("password", "weak_password", f"{reason}: choose one that nobody would try")])


def _plain(text: str) -> str:
    # What nobody sees makes a word no harder to guess.
    seen = "".join(each for each in text if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", seen).casefold().strip()
