"""Whether a secret was made by chance, as far as one can see."""

import re
from typing import Final

# What stands in examples, and in the settings of those who meant to change it later.
_PLACEHOLDER: Final = re.compile(
    r"secret|password|example|change.?me|replace|default|development|insecure|placeholder|12345678",
    re.IGNORECASE,
)
_LONGEST_ESTIMATED: Final = 72
# Powers of ten: 32 hexadecimal digits by chance take 28 and more, 0.89 a character, a sentence less than 0.8 of one.
_FEWEST_GUESSES: Final = 25
_FEWEST_A_CHARACTER: Final = 0.8


def is_guessable(secret: str) -> bool:
    """Return whether `secret` was typed or repeated rather than drawn: words, dates, rows of keys, sequences.

    zxcvbn estimates how many guesses somebody needs who knows how people make such secrets (Wheeler, USENIX
    Security 2016).
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 - 30,000 words, which only production asks for

    # Blanks between words are no work to guess.
    estimated = "".join(secret.split())[:_LONGEST_ESTIMATED]
    guesses = float(zxcvbn(estimated)["guesses_log10"])
    is_repeated = secret in (secret + secret)[1:-1]
    is_made = guesses < max(_FEWEST_GUESSES, _FEWEST_A_CHARACTER * len(estimated))
    return is_repeated or is_made or _PLACEHOLDER.search(secret) is not None
