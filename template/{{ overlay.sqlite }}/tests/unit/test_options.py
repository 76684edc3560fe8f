import pytest

from app.core.errors import SettingsError
from app.core.settings import load_settings
from app.db.url import database_url


def _refused(url: str) -> str:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: ") as failure:
        database_url(load_settings(_env_file=None, database_url=url))
    return str(failure.value)


class TestNames:
    @pytest.mark.parametrize(
        ("query", "hint"),
        [
            ("sslmode=require", "sslmode is not an option of SQLite here; remove it."),
            ("connection_limit=1", "DATABASE_POOL_SIZE sets how many connections there are."),
            ("tiemout=5", "did you mean timeout?"),
            ("mode=ro", "it needs uri=true, and file: before the path."),
            ("check_same_thread=true", "check_same_thread is not an option"),
        ],
    )
    def test_what_the_driver_does_not_know_is_refused(self, query: str, hint: str) -> None:
        assert hint in _refused(f"sqlite:///app.db?{query}")

    @pytest.mark.parametrize("url", ["sqlite:///app.db?timeout=5", "sqlite:///file:app.db?mode=rw&uri=true"])
    def test_what_it_knows_is_taken(self, url: str) -> None:
        assert database_url(load_settings(_env_file=None, database_url=url)).query


class TestValues:
    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("sqlite:///app.db?timeout=abc", "timeout must be a number"),
            ("sqlite:///file:app.db?uri=maybe", "uri must be true or false"),
            ("sqlite:///file:app.db?mode=x&uri=true", "mode must be one of ro, rw, rwc"),
            ("sqlite:///file:app?mode=memory&uri=true", "mode must be one of ro, rw, rwc"),
            ("sqlite:///file::memory:?cache=shared&uri=true", "it must name a file"),
            ("sqlite:///app.db?timeout=5&timeout=6", "timeout stands there 2 times; say it once."),
        ],
    )
    def test_one_that_cannot_be_is_refused(self, url: str, reason: str) -> None:
        assert reason in _refused(url)
