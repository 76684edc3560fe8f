"""The envelope of every list."""

from typing import Generic, TypeVar

from pydantic import Field

from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT
from app.schemas.base import Schema
from app.schemas.fields import QueryInt

Item = TypeVar("Item")


class PageQuery(Schema):
    """What every list takes."""

    limit: QueryInt = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="How many to answer at most.")
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")


class Page(Schema, Generic[Item]):
    """Some of a list, and where to go on."""

    data: list[Item]
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one.")
    has_more: bool
