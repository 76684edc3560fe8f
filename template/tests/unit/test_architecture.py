"""Rules of this service that neither the linter nor import-linter can see."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_APP = Path("app")
_MODULES = sorted(_APP.rglob("*.py"))
_LONGEST = 300


def _uses(source: str, *names: str) -> list[str]:
    """Return where `source` speaks of an attribute with one of `names`."""
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    return [f"line {node.lineno}: .{node.attr}" for node in found if node.attr in names]


def _asks_datetime(module: Path, *names: str) -> list[str]:
    """Return where `module` asks the standard library's `datetime` or `date` for the present."""
    found = (node for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Attribute))
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in found
        if node.attr in names and ast.unparse(node.value).split(".")[-1] in {"datetime", "date"}
    ]


def _outside(*folders: str) -> Iterator[Path]:
    kept = tuple(_APP / folder for folder in folders)
    return (module for module in _MODULES if not any(module == each or each in module.parents for each in kept))


def _violations(modules: Iterator[Path], *names: str) -> list[str]:
    return [f"{module}, {use}" for module in modules for use in _uses(module.read_text("utf-8"), *names)]


class TestTransactions:
    def test_only_the_unit_of_work_ends_them(self) -> None:
        assert _violations(_outside("db"), "commit", "rollback", "begin", "begin_nested") == []

    @pytest.mark.parametrize("planted", ["session.commit()", "end = self.session.rollback", "with s.begin(): ..."])
    def test_a_violation_is_found(self, planted: str) -> None:
        assert _uses(planted, "commit", "rollback", "begin") != []


class TestTime:
    def test_only_the_clock_knows_the_present(self) -> None:
        names = ("now", "utcnow", "today")
        asked = {f"{module}, {use}" for module in _outside("core/clock.py") for use in _asks_datetime(module, *names)}

        assert asked == set()


class TestConfiguration:
    def test_only_the_settings_read_the_environment(self) -> None:
        # prometheus_client looks for its directory there.
        others = _outside("core/settings.py", "metrics/processes.py")
        assert _violations(others, "environ", "getenv") == []


class TestSize:
    @pytest.mark.parametrize("module", _MODULES, ids=str)
    def test_no_module_is_too_long_to_read(self, module: Path) -> None:
        lines = len(module.read_text("utf-8").splitlines())
        assert lines <= _LONGEST, f"{module} is too long to read at one sitting: make two modules of it"
