from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.errors import RouteError
from app.http.routers import routers_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / f"planted_{tmp_path.name}"
    package.mkdir()
    code = "from types import SimpleNamespace\nrouter = SimpleNamespace(name='1')\n"
    (package / "first.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return str(package)


def test_every_module_of_the_folder_has_one(folder: str) -> None:
    assert routers_of(Path(folder).name, [folder], SimpleNamespace) == [SimpleNamespace(name="1")]


@pytest.mark.parametrize("code", ["", "router = 1\n"])
def test_a_module_without_one_is_named(folder: str, code: str) -> None:
    (Path(folder) / "second.py").write_text(code, "utf-8")

    with pytest.raises(RouteError, match=rf"^{Path(folder).name}\.second has no `router`: .*SimpleNamespace\("):
        routers_of(Path(folder).name, [folder], SimpleNamespace)
