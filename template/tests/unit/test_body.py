import json

import pytest
from pydantic import BaseModel, Field

from app.core.errors import Invalid, MalformedBody, UnsupportedMediaType
from app.http.body import FORM, JSON, BodyFormat, max_body, parse_form, parse_json, sizes_of
from app.http.contract import Body
from app.http.declared import declared
from app.schemas.errors import Error as ErrorSchema
from app.schemas.errors import ErrorDetail

_MEMBERS = b"{" + b",".join([b'"%d":{}'] * 20) + b"}"


def read(body_format: BodyFormat, content_type: list[str], content_encoding: list[str]) -> BodyFormat | None:
    """Return the format of a body that was sent with these headers to an endpoint that takes `body_format`."""
    return Body.of(dict, body_format).format_of(content_type, content_encoding, is_there=True)


class TestMediaType:
    def test_none_is_needed_where_the_body_may_be_left_out(self) -> None:
        assert Body.of(dict, JSON, is_required=False).format_of([], [], is_there=False) is None

    def test_any_of_several_is_read(self) -> None:
        assert Body.of(dict, JSON, FORM).format_of([FORM.media_type], [], is_there=True) is FORM

    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            'application/json;charset="UTF-8"',
            "application/json; charset=utf8",
        ],
    )
    def test_json_in_utf8_is_read(self, content_type: str) -> None:
        assert read(JSON, [content_type], []) is JSON

    @pytest.mark.parametrize(
        "content_type",
        [
            pytest.param([], id="none"),
            pytest.param([""], id="empty"),
            pytest.param(["json"], id="no type"),
            pytest.param(["text/json"], id="text"),
            pytest.param(["application/merge-patch+json"], id="suffix"),
            pytest.param(["application/x-www-form-urlencoded"], id="form"),
            pytest.param(["application/json; charset=latin-1"], id="latin-1"),
            pytest.param(["application/json; charset=utf-16"], id="utf-16"),
            pytest.param(["application/json", "application/json"], id="twice"),
        ],
    )
    def test_anything_else_is_unsupported(self, content_type: list[str]) -> None:
        with pytest.raises(UnsupportedMediaType):
            read(JSON, content_type, [])

    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "x"])
    def test_an_encoded_body_is_unsupported(self, encoding: str) -> None:
        with pytest.raises(UnsupportedMediaType):
            read(JSON, ["application/json"], [encoding])

    @pytest.mark.parametrize("encoding", ["identity", " Identity "])
    def test_identity_is_no_encoding(self, encoding: str) -> None:
        assert read(JSON, ["application/json"], [encoding]) is JSON


class TestJson:
    @pytest.mark.parametrize(
        ("body", "value"),
        [
            (b'{"a": [1, 2.5, true, null]}', {"a": [1, 2.5, True, None]}),
            (b' \r\n\t"x" ', "x"),
            ('"žluťoučký 🍵"'.encode(), "žluťoučký 🍵"),
            (b'"\\ud83c\\udf75"', "🍵"),
            (b'"\\u0000"', "\0"),
            (b"9" * 4300, int("9" * 4300)),
        ],
        ids=["nested", "space", "utf-8", "surrogate pair", "NUL", "4300 digits"],
    )
    def test_what_it_spells_is_returned(self, body: bytes, value: object) -> None:
        parsed = parse_json(body)

        assert value == parsed

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"{", id="cut"),
            pytest.param(b"{} {}", id="two values"),
            pytest.param(b"{'a': 1}", id="single quotes"),
            pytest.param(b'{"a": 1,}', id="trailing comma"),
            pytest.param(b'"\x01"', id="raw control character"),
            pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
            pytest.param("{}".encode("utf-16"), id="utf-16"),
            pytest.param("{}".encode("utf-16-le"), id="utf-16 without mark"),
            pytest.param('"ž"'.encode("iso8859-2"), id="latin-2"),
            pytest.param(b'"\xed\xa0\xbd"', id="surrogate in utf-8"),
            pytest.param(b'"\xc0\x80"', id="overlong"),
            pytest.param(b"[" * 200_000, id="deep"),
            pytest.param(b'{"a":' * 200_000 + b"1" + b"}" * 200_000, id="deep and closed"),
        ],
    )
    def test_what_is_not_json_in_utf8_is_malformed(self, body: bytes) -> None:
        with pytest.raises(MalformedBody):
            parse_json(body)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b'{"a": 1, "a": 1}', "duplicate_key"),
            (b'[{"x": {"a": 1, "b": 2, "\\u0061": 3}}]', "duplicate_key"),
            (b"NaN", "not_finite"),
            (b'{"a": [Infinity]}', "not_finite"),
            (b"-Infinity", "not_finite"),
            (b'"\\ud83c"', "lone_surrogate"),
            (b'"\\udf75\\ud83c"', "lone_surrogate"),
            (b'{"\\udfff": 1}', "lone_surrogate"),
            (b"9" * 5000, "number_too_large"),
            (b"-" + b"9" * 5000, "number_too_large"),
        ],
        ids=lambda value: value[:20].decode() if isinstance(value, bytes) else value,
    )
    def test_what_readers_disagree_about_is_invalid(self, body: bytes, code: str) -> None:
        with pytest.raises(Invalid) as failure:
            parse_json(body)

        assert [detail.field for detail in failure.value.details] == ["body"]
        assert [code] == [detail.code for detail in failure.value.details]

    def test_an_object_with_more_fields_than_any_can_have_is_refused_as_one(self) -> None:
        with pytest.raises(Invalid) as failure:
            parse_json(b'[{"a": 1, "b": {"c": 1, "d": 2, "e": 3}}]', 2)

        assert [(detail.field, detail.code) for detail in failure.value.details] == [("body", "too_many_fields")]

    def test_as_many_as_it_can_have_are_read(self) -> None:
        assert parse_json(b'[{"a": 1, "b": 2}]', 2) == [{"a": 1, "b": 2}]


class TestContentType:
    def test_a_long_one_is_of_no_format(self) -> None:
        # Python before 3.13.6 and the like take a second for one of 30 KB.
        with pytest.raises(UnsupportedMediaType):
            read(JSON, ['application/json;"' + ";" * 30_000], [])


class TestMostMembers:
    def test_the_largest_object_of_a_schema_counts_and_some_that_are_unknown(self) -> None:
        assert sizes_of(ErrorSchema).members == 4 + 20
        assert sizes_of(list[ErrorDetail]).members == 3 + 20

    def test_what_names_no_fields_may_have_many(self) -> None:
        assert sizes_of(dict[str, int]).members > 1000


class TestForm:
    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            (b"", {}),
            (b"a=1&b=2", {"a": "1", "b": "2"}),
            (b"a=x+y%20z&b=%2B%26%3D", {"a": "x y z", "b": "+&="}),
            (b"a=1=2&&b", {"a": "1=2", "b": ""}),
            ("a=%C5%BE&ž=x".encode(), {"a": "ž", "ž": "x"}),
            (b"a=%00", {"a": "\0"}),
            (b"&".join(b"f%d=" % number for number in range(100)), {f"f{number}": "" for number in range(100)}),
        ],
        ids=["empty", "two", "escaped", "odd", "utf-8", "NUL", "many"],
    )
    def test_its_fields_are_returned(self, body: bytes, fields: dict[str, str]) -> None:
        assert fields == parse_form(body)

    @pytest.mark.parametrize("body", [b"a=\xff", b"a=%FF", b"a=%ED%A0%BD", b"a=%", b"a=%4", b"%zz=1"])
    def test_what_is_not_a_form_in_utf8_is_malformed(self, body: bytes) -> None:
        with pytest.raises(MalformedBody):
            parse_form(body)

    @pytest.mark.parametrize("body", [b"a=1&a=1", b"a=1&b=2&%61=3", b"a&a"])
    def test_a_field_that_stands_there_twice_is_named(self, body: bytes) -> None:
        with pytest.raises(Invalid) as failure:
            parse_form(body)

        assert [(detail.field, detail.code) for detail in failure.value.details] == [("a", "repeated")]

    def test_no_endpoint_has_that_many_fields(self) -> None:
        with pytest.raises(Invalid):
            parse_form(b"&" * 1_000_000)

        with pytest.raises(Invalid):
            parse_form(b"a=1&b=2&c=3", 2)

    def test_it_is_told_by_its_media_type(self) -> None:
        assert read(FORM, ["application/x-www-form-urlencoded; charset=UTF-8"], []) is FORM

    @pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
    def test_another_media_type_is_unsupported(self, content_type: str) -> None:
        with pytest.raises(UnsupportedMediaType, match="x-www-form-urlencoded"):
            read(FORM, [content_type], [])


class TestArrays:
    def test_more_elements_than_any_body_has_are_refused_before_each_is_looked_at(self) -> None:
        with pytest.raises(Invalid) as failure:
            parse_json(b'{"a": [' + b"1," * 10_000 + b'1], "b": []}')

        assert failure.value.details[0].code == "too_many_items"
        assert parse_json(b"[" + b"1," * 9_999 + b"1]")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"[" + b"{}," * 300_000 + b"{}]", "too_many_items"),
            (b"[[" + b"1," * 300_000 + b"1]]", "too_many_items"),
            (b"{" + b",".join(b'"%d":{}' % number for number in range(90_000)) + b"}", "too_many_fields"),
            (b"[" + b",".join([_MEMBERS % tuple(range(20))] * 5_000) + b"]", "too_many_fields"),
            (b'{"a":' * 900 + b"[" + b"{}," * 100_000 + b"{}]" + b"}" * 900, "too_many_items"),
        ],
        ids=["objects", "numbers", "members", "members of many", "deep"],
    )
    def test_no_python_code_looks_at_each_of_too_many(
        self, body: bytes, code: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.http.body._object", None)

        with pytest.raises(Invalid) as failure:
            parse_json(body)

        assert failure.value.details[0].code == code

    def test_many_objects_are_read_where_there_are_few_elements(self) -> None:
        body = [{"a": {"b": [1]}, "c": {}}] * 4_000

        assert parse_json(json.dumps(body).encode()) == body

    def test_all_arrays_count_together(self) -> None:
        with pytest.raises(Invalid):
            parse_json(b'[[1, 2], {"a": [3]}]', most_items=4)

    def test_a_schema_may_allow_more(self) -> None:
        class Batch(BaseModel):
            numbers: list[int] = Field(max_length=50_000)

        assert sizes_of(Batch).items == 50_000
        assert sizes_of(list[int]).items == 10_000


class TestMaxBody:
    def test_an_endpoint_may_take_more_than_others(self) -> None:
        @max_body(5000)
        def upload() -> None: ...

        assert (declared(upload, "max_body"), declared(read, "max_body")) == (5000, None)
