import pytest
from sqlalchemy import make_url

from app.core.errors import SettingsError
from app.core.settings import load_settings
from app.db import dialect
from app.db.url import database_url

_URL = "mysql://ada:hunter2@db.example/app"


def _refused(query: str) -> str:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: ") as failure:
        database_url(load_settings(_env_file=None, database_url=f"{_URL}?{query}"))
    assert "hunter2" not in str(failure.value)
    return str(failure.value)


class TestNames:
    @pytest.mark.parametrize(
        ("query", "hint"),
        [
            ("useSSL=true", "useSSL is not an option of MySQL or MariaDB here; ssl_ca names the authority"),
            ("sslmode=require", "ssl_ca names the authority that is believed."),
            ("sslaccept=strict", "ssl_ca names the authority that is believed."),
            ("connection_limit=5", "DATABASE_POOL_SIZE sets how many connections there are."),
            ("pool_timeout=5", "pool_timeout is not an option of MySQL or MariaDB here; remove it."),
            ("pgbouncer=true", "pgbouncer is not an option"),
            ("connect_timout=5", "did you mean connect_timeout?"),
            ("autocommit=true", "autocommit is not an option"),
        ],
    )
    def test_what_the_driver_does_not_know_is_refused(self, query: str, hint: str) -> None:
        assert hint in _refused(query)

    @pytest.mark.parametrize(
        "query", ["ssl_ca=/ca.pem", "init_command=SET+%40a%3D1", "charset=utf8mb4", "read_timeout=5"]
    )
    def test_what_it_knows_is_taken(self, query: str) -> None:
        assert database_url(load_settings(_env_file=None, database_url=f"{_URL}?{query}")).query


class TestValues:
    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ("connect_timeout=abc", "connect_timeout must be a number"),
            ("max_allowed_packet=1M", "max_allowed_packet must be a number"),
            ("connect_timeout=0", "connect_timeout must be from 1 to 31536000 seconds"),
            ("charset=utf8mb4&charset=latin1", "charset stands there 2 times; say it once."),
            ("ssl_disabled=maybe", "ssl_disabled must be true or false"),
        ],
    )
    def test_one_that_cannot_be_is_refused(self, query: str, reason: str) -> None:
        assert reason in _refused(query)

    def test_the_driver_gets_no_text_for_a_switch_or_a_number(self) -> None:
        url = make_url(f"{_URL}?ssl_disabled=false&max_allowed_packet=1000")

        arguments = dialect.connect_arguments(url, "read", 5)

        assert arguments["ssl_disabled"] is False
        assert arguments["max_allowed_packet"] == 1000
