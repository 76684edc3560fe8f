"""What a list offers, declared once: the model of its query says its sorts, its filters and its page.

What clients send, the document, the SQL (`app/db/lists.py`) and the test of the indexes follow from it.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import Field

from app.schemas.page import Page, PageQuery

PageT = TypeVar("PageT", bound=Page[Any])

_MOST_SORTS: Final = 4


def any_of(column: Any, values: Sequence[object]) -> Any:  # noqa: ANN401 - SQLAlchemy's
    """Compare as a `Filter` does by one of several values."""
    return column.in_(values)


@dataclass(frozen=True, slots=True)
class Filter:
    """A parameter that keeps the rows whose `column` compares so with its value; without a value it keeps all."""

    column: str
    compare: Callable[[Any, Any], Any] = operator.eq


class Sorts:
    """The names that a list can be sorted by, and the columns of these: `Sorts("total", placed="created_at")`."""

    def __init__(self, *names: str, default: str, **columns: str) -> None:
        self.columns: Mapping[str, str] = MappingProxyType({**{name: name for name in names}, **columns})
        self.default = default

    def field(self) -> Any:  # noqa: ANN401 - as Pydantic's Field
        """Return the parameter by which clients choose."""
        term = f"-?({'|'.join(self.columns)})"
        most = min(len(self.columns), _MOST_SORTS) - 1
        shown = ", ".join(f"`{name}`" for name in self.columns)
        return Field(
            default=self.default,
            pattern=f"^{term}(,{term})" + "{0," + f"{most}" + "}$",
            description=f"Names from {shown}, by comma; `-` sorts downwards.",
        )

    def order(self, sort: str) -> dict[str, bool]:
        """Return the columns by rank, each with whether it descends; a name that stands there again changes nothing."""
        chosen: dict[str, bool] = {}
        for term in sort.split(","):
            chosen.setdefault(self.columns[term.removeprefix("-")], term.startswith("-"))
        return chosen


class ListQuery(PageQuery, Generic[PageT]):
    """What a list takes. One that lets clients choose the sort has `sort: str = sorts.field()`."""

    page: ClassVar[type[Any]]
    sorts: ClassVar[Sorts] = Sorts("created_at", default="-created_at")

    @property
    def chosen_sort(self) -> str:
        """The sort that was asked for."""
        return getattr(self, "sort", self.sorts.default)

    @classmethod
    def filters(cls) -> Iterator[tuple[str, Filter]]:
        """Yield the parameters that filter."""
        for name, field in cls.model_fields.items():
            yield from ((name, each) for each in field.metadata if isinstance(each, Filter))

    def chosen_filters(self) -> Iterator[tuple[Filter, Any]]:
        """Yield the filters that were asked for, with their values."""
        for name, each in self.filters():
            value = getattr(self, name)
            if value is not None and value != []:
                yield each, value

    def of_rows(self, rows: Sequence[object], next_cursor: str | None) -> PageT:
        """Return the page that has `rows`."""
        return self.page.of({"data": rows, "next_cursor": next_cursor, "has_more": next_cursor is not None})
