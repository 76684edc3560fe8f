"""Deprecated routes: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to the migration note."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from app.http.declared import Endpoint, declare


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a route is deprecated, from when it may be gone, and where the way forward is described."""

    since: date
    sunset: date
    link: str

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers that every answer of the route carries."""
        since = datetime.combine(self.since, time(), UTC)
        sunset = datetime.combine(self.sunset, time(), UTC)
        return [
            ("Deprecation", f"@{int(since.timestamp())}"),
            ("Sunset", format_datetime(sunset, usegmt=True)),
            ("Link", f'<{self.link}>; rel="deprecation"; type="text/html"'),
        ]


def deprecated(*, since: date, sunset: date, link: str) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator that marks an endpoint as deprecated, in its answers and in the OpenAPI document."""
    if sunset < since:
        msg = f"sunset {sunset} is before since {since}"
        raise ValueError(msg)
    return declare("deprecation", Deprecation(since, sunset, link))
