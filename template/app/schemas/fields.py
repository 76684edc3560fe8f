"""Types of fields. Each refuses what one database or client would take and another would not."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from iso4217 import Currency as KnownCurrency
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

# No control characters: databases refuse NUL, terminals and logs obey the others.
LINE = r"^[^\u0000-\u001F\u007F-\u009F]*$"
_LINES = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]*$"
_EMAIL = r"^[^\u0000-\u0020\u007F-\u009F@]+@[^\u0000-\u0020\u007F-\u009F@.]+(\.[^\u0000-\u0020\u007F-\u009F@.]+)+$"
_PRICE = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"
_AMOUNT = r"^[0-9]{1,16}(\.[0-9]{1,2})?$"
_TWO_DECIMALS = r"^[0-9]+\.[0-9]{2}$"
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
_REST = "([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
_URL = rf"^https?://{_LABEL}(\.{_LABEL})*(:({_PORT}))?([/?]{_REST})?(#{_REST})?$"
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=LINE)]
Email = Annotated[str, StringConstraints(min_length=5, max_length=254, pattern=_EMAIL)]
Note = Annotated[str, StringConstraints(max_length=500, pattern=_LINES)]

Url = Annotated[
    str,
    StringConstraints(max_length=2000, pattern=_URL),
    Field(json_schema_extra={"format": "uri", "examples": ["https://example.com/a?b=c"]}),
]
"""The address of a page (RFC 3986), kept as it was sent: `http` or `https`, a host's name or IPv4 address, no password.

Characters beyond ASCII are percent-encoded, or in Punycode. Whether the service may call that machine is not checked.
"""

_CODES = tuple(sorted(str(currency.code) for currency in KnownCurrency))


def _is_currency(code: str) -> str:
    if code not in _CODES:
        error, message = "currency", "Input should be a currency code of ISO 4217"
        raise PydanticCustomError(error, message)
    return code


# A named type, so that the document has the list of codes once.
Currency = TypeAliasType(
    "Currency",
    Annotated[
        str, AfterValidator(_is_currency), WithJsonSchema({"type": "string", "enum": list(_CODES), "examples": ["EUR"]})
    ],
)


def _decimal(pattern: str) -> BeforeValidator:
    """Take decimal strings of one form only: `Decimal` itself also takes floats, exponents, signs and spaces."""
    form = re.compile(pattern)

    def parse(value: object) -> Decimal:
        if not isinstance(value, str) or form.fullmatch(value) is None:
            error = "decimal_string"
            message = 'Input should be a decimal string with at most two decimals, like "19.90"'
            raise PydanticCustomError(error, message)
        return Decimal(value)

    return BeforeValidator(parse)


def _form(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": ["19.90"]})


Price = Annotated[Decimal, _decimal(_PRICE), _form(_PRICE)]
"""What one piece costs, as clients send it."""

AmountFilter = Annotated[Decimal, _decimal(_AMOUNT), _form(_AMOUNT)]
"""A bound for totals in a query."""


def _two_decimals(value: Decimal) -> str:
    return f"{value:.2f}"


Amount = Annotated[Decimal, PlainSerializer(_two_decimals, return_type=str), _form(_TWO_DECIMALS)]
"""An amount as the service sends it: always two decimals."""


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00.123456Z"]}),
]
"""An instant as the service sends it: RFC 3339, UTC, `Z`."""


def _rfc3339(value: object) -> str:
    """Take RFC 3339 only: Pydantic also takes Unix times and bare dates, and a `+` in a query string is a space."""
    text = re.sub(r" (?=[0-9]{2}:[0-9]{2}$)", "+", value) if isinstance(value, str) else ""
    if _DATE_TIME.fullmatch(text) is None:
        error, message = "datetime_rfc3339", "Input should be a date and time with a zone, like 2026-01-31T09:30:00Z"
        raise PydanticCustomError(error, message)
    return text


def _in_range(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        error, message = "datetime_range", "Input should lie within the years 1 to 9999 in UTC"
        raise PydanticCustomError(error, message) from None


def _nearest(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        # Outside the years 1 to 9999 once it is in UTC, but no row lies between the two.
        return value.replace(tzinfo=UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_in_range)]
"""An instant as clients send it in a body."""

InstantFilter = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_nearest)]
"""A bound for instants in a query."""


def _full_date(value: object) -> object:
    """Take RFC 3339's full-date only: Pydantic also takes Unix times, and instants at midnight."""
    if type(value) is date:
        return value
    if not isinstance(value, str) or _FULL_DATE.fullmatch(value) is None:
        error, message = "date_rfc3339", "Input should be a date, like 2026-01-31"
        raise PydanticCustomError(error, message)
    return value


Date = Annotated[date, BeforeValidator(_full_date)]
"""A day of the calendar, in a body, in a query, and as the service sends it."""


def _whole(value: object) -> object:
    """Take whole numbers as JSON writes them: Python also takes `+5`, `1_000`, ` 5` and digits of other scripts."""
    if isinstance(value, str) and _WHOLE.fullmatch(value) is None:
        error, message = "int_parsing", "Input should be a whole number, like 20"
        raise PydanticCustomError(error, message)
    return value


def _number(value: object) -> object:
    """Take JSON numbers only, `2.0` among them, which JSON Schema calls an integer too: Python also takes booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        error, message = "int_type", "Input should be a valid integer"
        raise PydanticCustomError(error, message)
    return value


Integer = Annotated[int, BeforeValidator(_number)]
"""A whole number as clients send it in a body."""

QueryInt = Annotated[int, BeforeValidator(_whole)]


def unset() -> Any:  # noqa: ANN401 - stands in for a value of any type
    """Return the default of a field that may be left out but may not be null; see `model_fields_set`."""
    return None


def optional(description: str, *examples: object) -> Any:  # noqa: ANN401 - as pydantic.Field
    """Return a field that may be left out but may not be null."""
    return Field(default_factory=unset, description=description, examples=list(examples) or None)
