"""Content negotiation (RFC 9110, 12.5.1): JSON, unless an endpoint says otherwise."""

from collections.abc import Callable, Collection, Sequence

from app.core.errors import NotAcceptable
from app.http.declared import Endpoint, declare


def produces(*media_types: str) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: what the endpoint answers is of one of these media types, `text/csv` for example."""
    return declare("produces", media_types)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _specificity(media_range: str, media_type: str) -> int:
    """Return how closely `media_range` names `media_type`: 2, 1 for all of its kind, 0 for all, -1 for not at all."""
    kind = media_type.partition("/")[0]
    return {media_type: 2, f"{kind}/*": 1, "*/*": 0}.get(media_range, -1)


def require_acceptable(accept: Sequence[str], offered: Collection[str] = ("application/json",)) -> None:
    """Check that `accept`, the lines of the `Accept` header, allows one of the media types `offered`.

    Raises:
        NotAcceptable: for each of them no media range covers it, or the most specific one that does has q=0.
    """
    ranges = ",".join(accept)
    if not ranges.strip(", \t"):
        return
    asked = [media_range.split(";") for media_range in ranges.split(",")]
    for media_type in offered:
        bare = media_type.partition(";")[0].strip().lower()
        best, quality = -1, 0.0
        for name, *parameters in asked:
            specificity = _specificity(name.strip().lower(), bare)
            if specificity > best:
                best, quality = specificity, _quality(parameters)
        if quality > 0:
            return
    raise NotAcceptable(f"This resource is only available as {' or '.join(offered)}.")
