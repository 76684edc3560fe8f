"""Bodies and answers of the routes."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    price: Decimal = Decimal("1.50")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool = True


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Names(RootModel[list[str]]):
    pass


class Rich(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    at: datetime
    day: date
    amount: Decimal
    id: UUID
    color: Color
    shown_as: str = Field(alias="shownAs")
    tags: set[str] = set()

    @computed_field
    @property
    def year(self) -> int:
        return self.day.year


class Size(BaseModel):
    size: int = 5


class Place(BaseModel):
    place: str = "here"


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    tags: list[str] = []
    color: Color | None = None
