"""JSON that every reader understands alike; what is signed or fetched is read with nothing else."""

import json
from typing import NoReturn


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # One reader takes the first of two members, another the last (RFC 7515, 4; RFC 7519, 4).
        raise ValueError("an object has the same member twice")
    return members


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def read_object(data: bytes) -> dict[str, object]:
    """Return the JSON object that `data` spells in UTF-8.

    Raises:
        ValueError: it is anything else, or readers disagree about it: members twice, NaN, Infinity, half characters.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - whoever reads text wants one kind of failure
    return value
