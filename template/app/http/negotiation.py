"""Content negotiation (RFC 9110, 12.5.1): this service speaks JSON."""

from collections.abc import Sequence

from app.core.errors import NotAcceptable

_SPECIFICITY = {"application/json": 2, "application/*": 1, "*/*": 0}


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def require_acceptable(accept: Sequence[str]) -> None:
    """Do nothing if a client that sent these `Accept` lines can take JSON.

    Raises:
        NotAcceptable: no media range covers `application/json`, or the most specific one that does has q=0.
    """
    ranges = ",".join(accept)
    if not ranges.strip(", \t"):
        return
    best, quality = -1, 0.0
    for media_range in ranges.split(","):
        name, *parameters = media_range.split(";")
        specificity = _SPECIFICITY.get(name.strip().lower(), -1)
        if specificity > best:
            best, quality = specificity, _quality(parameters)
    if quality <= 0:
        raise NotAcceptable
