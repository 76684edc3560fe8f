import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import column, select

from app.core.errors import InvalidCursor
from app.core.pagination import decode_cursor, encode_cursor
from app.db.keyset import Keyset, SortKey

quickly = hypothesis_settings(max_examples=60, derandomize=True, deadline=None)
_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Not any character: Hypothesis needs two seconds to learn of all.
_LETTERS = 'aZ09 -_"\\[],\0\n\x7fé🍵\u2028'
texts = st.lists(st.text(_LETTERS, max_size=20), max_size=4)
_ODD = _URL_SAFE + "+/= é\0\ud800"

_KEYSET = Keyset(
    [
        SortKey(column(str(kind.__name__)), kind, descending=True, nullable=False)
        for kind in (datetime, Decimal, str, UUID)
    ],
)
_ROW = ["2026-01-31T09:30:00.123456+00:00", "19.90", "reference", "019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e"]


class TestCursor:
    @quickly
    @given(values=texts, scope=texts)
    def test_it_comes_back_as_it_was_made(self, values: list[str], scope: list[str]) -> None:
        cursor = encode_cursor(values, scope)

        assert values == decode_cursor(cursor, scope)
        assert set(cursor) <= set(_URL_SAFE)

    @quickly
    @given(
        values=texts, scope=texts, position=st.integers(0, 1000), changed=st.sampled_from(_URL_SAFE + "+/= é\0\ud800")
    )
    def test_any_changed_character_is_refused(
        self, values: list[str], scope: list[str], position: int, changed: str
    ) -> None:
        cursor = encode_cursor(values, scope)
        position %= len(cursor)
        assume(changed != cursor[position])

        with pytest.raises(InvalidCursor):
            decode_cursor(cursor[:position] + changed + cursor[position + 1 :], scope)

    @quickly
    @given(values=texts, scope=texts, length=st.integers(0, 1000))
    def test_a_cut_one_is_refused(self, values: list[str], scope: list[str], length: int) -> None:
        cursor = encode_cursor(values, scope)

        with pytest.raises(InvalidCursor):
            decode_cursor(cursor[: length % len(cursor)], scope)

    @quickly
    @given(values=texts, scope=texts, other=texts)
    def test_it_is_of_no_use_in_another_scope(self, values: list[str], scope: list[str], other: list[str]) -> None:
        assume(scope != other)

        with pytest.raises(InvalidCursor):
            decode_cursor(encode_cursor(values, scope), other)

    @quickly
    @given(sent=st.text(_ODD))
    def test_garbage_is_refused_and_nothing_else_happens(self, sent: str) -> None:
        with pytest.raises(InvalidCursor):
            decode_cursor(sent, [])

    @pytest.mark.parametrize("suffix", ["=", "==", "\n", " ", "A"])
    def test_it_has_one_spelling_only(self, suffix: str) -> None:
        with pytest.raises(InvalidCursor):
            decode_cursor(encode_cursor(["a"], []) + suffix, [])


def _forged(payload: bytes) -> str:
    """Return a cursor with the right digest: the digest is no secret."""
    made = encode_cursor([], [])
    size = len(urlsafe_b64decode(made + "=" * (-len(made) % 4))) - len(b"[]")
    digest = blake2b(json.dumps([]).encode() + payload, digest_size=size).digest()
    return urlsafe_b64encode(digest + payload).rstrip(b"=").decode()


class TestForgedCursor:
    @pytest.mark.parametrize(
        "payload", [b"", b"x", b"\xff", b"1", b"null", b"{}", b"[1]", b"[null]", b'[["a"]]', b'[ "a"]', b"[" * 1400]
    )
    def test_a_payload_that_is_no_list_of_texts_is_refused(self, payload: bytes) -> None:
        with pytest.raises(InvalidCursor):
            decode_cursor(_forged(payload), [])

    def test_values_of_a_row_are_taken(self) -> None:
        statement = _KEYSET.page(select(column("id")), 1, encode_cursor(_ROW, []), [])

        bound = set(statement.compile().params.values())
        assert {Decimal("19.90"), "reference", UUID(_ROW[-1])} <= bound

    @pytest.mark.parametrize(
        ("rank", "text"),
        [
            (0, ""),
            (0, "yesterday"),
            (0, "2026-01-31T09:30:00"),
            (0, "2026-01-31"),
            (1, "many"),
            (1, "NaN"),
            (1, "Infinity"),
            (1, "1e999999"),
            (1, "9" * 30),
            (2, "a\0b"),
            (2, "\ud800"),
            (3, "1"),
            (3, "{019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e}"),
        ],
    )
    def test_values_that_no_row_has_are_refused(self, rank: int, text: str) -> None:
        values = [text if index == rank else value for index, value in enumerate(_ROW)]

        with pytest.raises(InvalidCursor):
            _KEYSET.page(select(column("id")), 1, encode_cursor(values, []), [])

    @pytest.mark.parametrize("values", [[], _ROW[:3], [*_ROW, "more"]])
    def test_too_few_and_too_many_values_are_refused(self, values: list[str]) -> None:
        with pytest.raises(InvalidCursor):
            _KEYSET.page(select(column("id")), 1, encode_cursor(values, []), [])
