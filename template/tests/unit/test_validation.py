import pytest
from pydantic import Field, ValidationError

from app.core.errors import Invalid
from app.http.validation import QueryNames, invalid
from app.schemas.base import Schema
from app.schemas.page import PageQuery


class _Line(Schema):
    sku: str


class _Basket(Schema):
    lines: list[_Line]


class _Query(PageQuery):
    colour: list[str] = Field(default=[])


_NAMES = QueryNames.of(_Query)


class TestFindings:
    def test_each_names_its_field_by_path(self) -> None:
        with pytest.raises(ValidationError) as found:
            _Basket.model_validate({"lines": [{"sku": "a"}, {"sku": 1}, {}], "more": 1})

        failure = invalid(found.value.errors())

        expected = [("lines.1.sku", "string_type"), ("lines.2.sku", "missing"), ("more", "extra_forbidden")]
        assert expected == [(detail.field, detail.code) for detail in failure.details]

    def test_the_whole_body_is_called_body(self) -> None:
        with pytest.raises(ValidationError) as found:
            _Basket.model_validate([])

        failure = invalid(found.value.errors())

        assert [detail.field for detail in failure.details] == ["body"]

    def test_what_was_sent_is_not_repeated(self) -> None:
        with pytest.raises(ValidationError) as found:
            _Basket.model_validate({"lines": [{"sku": ["hunter2"]}], "more": "hunter2"})

        failure = invalid(found.value.errors())

        assert "hunter2" not in str(failure.details)


class TestQueryNames:
    @pytest.mark.parametrize(
        "query", [b"", b"limit=1", b"limit=1&cursor=a", b"colour=a&colour=b", b"%6Cimit=1", b"limit=%C3%BC"]
    )
    def test_names_of_the_endpoint_are_taken(self, query: bytes) -> None:
        _NAMES.check(query)

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            (b"limit=1&x=2", "x", "extra_forbidden"),
            (b"x", "x", "extra_forbidden"),
            (b"x=", "x", "extra_forbidden"),
            (b"Limit=1", "Limit", "extra_forbidden"),
            (b"limit%00=1", "limit\0", "extra_forbidden"),
            (b"colour[]=1", "colour[]", "extra_forbidden"),
            (b"=1", "", "extra_forbidden"),
            (b"limit=1&limit=1", "limit", "repeated"),
            (b"limit=1&%6Cimit=2", "limit", "repeated"),
        ],
    )
    def test_unknown_and_repeated_ones_are_refused_by_name(self, query: bytes, field: str, code: str) -> None:
        with pytest.raises(Invalid) as failure:
            _NAMES.check(query)

        assert [(field, code)] == [(detail.field, detail.code) for detail in failure.value.details]

    def test_an_endpoint_without_parameters_takes_none(self) -> None:
        with pytest.raises(Invalid):
            QueryNames.of().check(b"a=1")

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            (b"limit=%FF", "limit"),
            (b"cursor=a&limit=%ED%A0%80", "limit"),
            (b"%C3=1", "\ufffd"),
            (b"limit=\xff", "limit"),
            (b"limit=\xc3\xbc&cursor=a", "limit"),
        ],
    )
    def test_what_is_not_utf8_is_refused_by_name(self, query: bytes, field: str) -> None:
        with pytest.raises(Invalid) as failure:
            _NAMES.check(query)

        assert [(detail.field, detail.code) for detail in failure.value.details] == [(field, "not_utf8")]
