"""Whether a secret was made by chance, as far as one can see."""

import re
from itertools import pairwise
from typing import Final

# What stands in examples, and in the settings of those who meant to change it later.
_PLACEHOLDER: Final = re.compile(
    r"secret|password|example|change.?me|replace|default|development|insecure|placeholder|12345678",
    re.IGNORECASE,
)
_FEWEST_STEPS: Final = 10


def is_guessable(secret: str) -> bool:
    """Return whether `secret` was typed or repeated rather than drawn.

    Text drawn at random goes from one character to the next by many different steps. `aaaa…`, `0123…` and a short
    text said several times do not.
    """
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    is_repeated = secret in (secret + secret)[1:-1]
    return is_repeated or len(steps) < _FEWEST_STEPS or _PLACEHOLDER.search(secret) is not None
