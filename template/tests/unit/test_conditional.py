import pytest

from app.core.errors import PreconditionFailed
from app.core.preconditions import UNCONDITIONAL, etag
from app.http.conditional import is_unchanged, precondition


class TestIfMatch:
    @pytest.mark.parametrize(
        "values",
        [[], ['"3"'], ["*"], [" * "], ['"2", "3"'], ['"2"', '"3"'], ['W/"2","3"'], ['"a,b", "3"']],
        ids=str,
    )
    def test_the_expected_version_may_be_changed(self, values: list[str]) -> None:
        precondition(values, []).require(3)

    @pytest.mark.parametrize(
        "values",
        [['"2"'], ['"33"'], ['W/"3"'], ["3"], ["'3'"], [""], ["garbage"], ['"3'], ['"x3"'], ['"*"']],
        ids=str,
    )
    def test_another_version_may_not(self, values: list[str]) -> None:
        expected = precondition(values, [])

        with pytest.raises(PreconditionFailed):
            expected.require(3)


class TestIfNoneMatch:
    @pytest.mark.parametrize("values", [[], ['"2"'], ['"1", W/"2"'], ["garbage"], [""]], ids=str)
    def test_another_version_may_be_changed(self, values: list[str]) -> None:
        precondition([], values).require(3)

    @pytest.mark.parametrize("values", [['"3"'], ["*"], ['W/"3"'], ['"1", "3"'], ['"1"', '"3"']], ids=str)
    def test_the_named_version_may_not(self, values: list[str]) -> None:
        excluded = precondition([], values)

        with pytest.raises(PreconditionFailed):
            excluded.require(3)

    @pytest.mark.parametrize("values", [['"3"'], ["*"], ['W/"3"'], ['"1", "3"'], ['"1"', '"3"']], ids=str)
    def test_a_client_that_has_the_version_need_not_get_it(self, values: list[str]) -> None:
        assert is_unchanged(values, etag(3))

    @pytest.mark.parametrize("values", [[], ['"2"'], ["3"], ["garbage"], [""]], ids=str)
    def test_a_client_that_has_another_gets_it(self, values: list[str]) -> None:
        assert not is_unchanged(values, etag(3))


def test_both_headers_count() -> None:
    both = precondition(['"3"'], ['"3"'])

    with pytest.raises(PreconditionFailed):
        both.require(3)


def test_without_headers_every_version_may_be_changed() -> None:
    UNCONDITIONAL.require(1)


def test_tags_are_strong() -> None:
    assert etag(7) == '"7"'
