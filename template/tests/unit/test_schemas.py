from dataclasses import dataclass
from typing import NamedTuple

import pytest
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from app.schemas.base import Schema
from app.schemas.fields import optional


class Line(Schema):
    sku: str


class Sent(Schema):
    customer_email: str = Field(alias="customer")
    note: str | None = None
    lines: list[Line] = optional("The lines.")


@dataclass(frozen=True, kw_only=True)
class LineContent:
    sku: str


@dataclass(frozen=True, kw_only=True)
class Content:
    customer_email: str
    note: str | None
    lines: list[LineContent]


class Changes(TypedDict, total=False):
    customer_email: str
    note: str | None
    lines: list[LineContent]


class Row(NamedTuple):
    sku: str
    secret: str


class TestTo:
    def test_a_dataclass_has_all_that_was_sent_and_the_defaults(self) -> None:
        sent = Sent.model_validate({"customer": "ada", "lines": [{"sku": "A"}]})

        assert sent.to(Content) == Content(customer_email="ada", note=None, lines=[LineContent(sku="A")])

    def test_a_dictionary_has_only_what_was_sent(self) -> None:
        assert Sent.model_validate({"customer": "ada"}).to(Changes) == {"customer_email": "ada"}
        assert Sent.model_validate({"customer": "ada", "note": None}).to(Changes)["note"] is None

    def test_what_does_not_fit_is_a_defect(self) -> None:
        with pytest.raises(ValidationError):
            Sent.model_validate({"customer": "ada"}).to(Content)


class TestOf:
    def test_attributes_have_the_names_of_the_fields_whatever_the_aliases(self) -> None:
        content = Content(customer_email="ada", note="x", lines=[LineContent(sku="A")])

        expected = {"customer": "ada", "note": "x", "lines": [{"sku": "A"}]}
        assert Sent.of(content).model_dump(by_alias=True) == expected

    def test_what_has_no_field_stays_inside(self) -> None:
        assert Line.of(Row("A", "hidden")).model_dump() == {"sku": "A"}

    def test_clients_send_aliases_only(self) -> None:
        with pytest.raises(ValidationError):
            Sent.model_validate({"customer_email": "ada"})
