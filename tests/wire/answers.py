"""One request and the answer to it, kept together so that a failed check can show both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SHOWN = 600
SECRET_HEADERS = ("x-api-key", "authorization")

Headers = tuple[tuple[str, str], ...]
Json = Any  # what a body holds is for the checks to find out


@dataclass(frozen=True)
class Request:
    """What was sent."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""

    def describe(self) -> list[str]:
        """Return the request as lines, secrets shortened."""
        lines = [f"{self.method} {shortened(self.target)}"]
        lines += [f"{name}: {masked(name, value)}" for name, value in self.headers]
        return [f"  > {line}" for line in [*lines, *body_lines(self.body)]]


@dataclass(frozen=True)
class Answer:
    """What came back: header names in lower case, in the order received."""

    request: Request
    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the field's value, repeated lines joined by commas (RFC 9110, 5.3)."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    def json(self) -> Json:
        """Return the decoded body; ValueError when it is not UTF-8 JSON."""
        return json.loads(self.body.decode("utf-8"))

    def member(self, name: str) -> Json:
        """Return this member of a JSON object; None where the body is no such thing."""
        try:
            body = self.json()
        except ValueError:
            return None
        return body.get(name) if isinstance(body, dict) else None

    @property
    def media_type(self) -> str:
        """Return the Content-Type without parameters, or an empty string."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def describe(self) -> str:
        """Return the exchange in a readable form."""
        lines = [str(self.status), *(f"{name}: {value}" for name, value in self.headers)]
        got = [f"  < {line}" for line in [*lines, *body_lines(self.body)]]
        return "\n".join([*self.request.describe(), *got])


def shortened(text: str) -> str:
    """Return at most SHOWN characters, saying how many there were."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} in all)"


def masked(name: str, value: str) -> str:
    """Return the header's value, a credential cut to its first characters."""
    return f"{value[:6]}…" if name.lower() in SECRET_HEADERS and value else shortened(value)


def body_lines(body: bytes) -> list[str]:
    """Return a blank line and the body, or nothing when it is empty."""
    if not body:
        return []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = repr(body[:SHOWN])
    return ["", shortened(text.encode("utf-8", "backslashreplace").decode())]
