"""Errors with a code are defined in one place, and each says when a client gets it."""

from pathlib import Path

import pytest

from app.core.errors import AppError, Conflict, RegistrationError
from app.core.failures import failures
from tests.commands import Outcome, assert_refused, run_app

_PAGE = Path("docs/errors.md")
_ROW = "| 409 | `conflict` |"


def define(module: str, **attributes: object) -> type[AppError]:
    """Define an error as a class statement in `module` does."""
    return type("OutOfStock", (Conflict,), {"__module__": module, **attributes})


def planted(tmp_path: Path, old: str, new: str) -> Path:
    """Return a copy of the page in which `new` stands for `old`."""
    text = _PAGE.read_text("utf-8")
    assert old in text
    (tmp_path / "errors.md").write_text(text.replace(old, new), "utf-8")
    return tmp_path / "errors.md"


class TestRegistration:
    @pytest.mark.parametrize("declared", [{"code": "out_of_stock"}, {"status": 410}])
    def test_an_error_that_is_defined_elsewhere_is_refused(self, declared: dict[str, object]) -> None:
        with pytest.raises(RegistrationError, match=r"^app\.services\.stock\.OutOfStock .* app/core/failures/\.$"):
            define("app.services.stock", when="there is too little of it", **declared)

    def test_one_that_does_not_say_when_is_refused(self) -> None:
        with pytest.raises(RegistrationError, match=r"^app\.core\.failures\.stock\.OutOfStock does not say when"):
            define("app.core.failures.stock", code="out_of_stock")

    def test_one_with_the_code_of_another_is_refused(self) -> None:
        with pytest.raises(RegistrationError) as refused:
            define("app.core.failures.stock", code="not_found", when="there is too little of it")

        assert str(refused.value) == (
            "app.core.failures.stock.OutOfStock and app.core.errors.NotFound have one code, not_found: "
            "each needs its own."
        )

    def test_what_was_refused_is_not_registered(self) -> None:
        with pytest.raises(RegistrationError):
            define("app.core.failures.stock", code="out_of_stock")

        assert "OutOfStock" not in {failure.__name__ for failure in failures()}

    def test_one_without_a_code_of_its_own_may_be_anywhere(self) -> None:
        assert define("app.services.stock", default="There is too little of it.")().code == "conflict"


class TestTable:
    def test_a_current_one_passes_the_check(self) -> None:
        assert run_app("errors", "--check") == Outcome(0, "", "")

    @pytest.mark.parametrize("new", ["", "| 410 | `conflict` |", "| 409 | `Conflict` |", f"{_ROW} never |\n{_ROW}"])
    def test_another_is_refused_and_written_anew(self, tmp_path: Path, new: str) -> None:
        page = planted(tmp_path, _ROW, new)

        assert_refused(run_app("errors", "--check", str(page)), "uv run just errors")
        assert run_app("errors", str(page)) == Outcome(0, "", "")
        assert page.read_text("utf-8") == _PAGE.read_text("utf-8")

    def test_what_stands_around_it_stays(self, tmp_path: Path) -> None:
        page = planted(tmp_path, "# Errors\n", "# Ours\n")

        assert run_app("errors", str(page)) == Outcome(0, "", "")
        assert page.read_text("utf-8").startswith("# Ours\n")

    @pytest.mark.parametrize("mark", ["<!-- The table is", "<!-- The table ends"])
    def test_a_page_without_a_place_for_it_is_refused(self, tmp_path: Path, mark: str) -> None:
        assert_refused(run_app("errors", str(planted(tmp_path, mark, "<!-- A table is"))), "no place")
