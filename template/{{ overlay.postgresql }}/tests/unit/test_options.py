import pytest
from sqlalchemy import make_url

from app.core.errors import SettingsError
from app.core.settings import load_settings
from app.db import dialect
from app.db.url import database_migration_url, database_url

_URL = "postgresql://ada:hunter2@db.example/app"


def _refused(query: str) -> str:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: ") as failure:
        database_url(load_settings(_env_file=None, database_url=f"{_URL}?{query}"))
    assert "hunter2" not in str(failure.value)
    return str(failure.value)


class TestNames:
    @pytest.mark.parametrize(
        ("query", "hint"),
        [
            ("schema=shop", "schema is not an option of PostgreSQL here; options=-csearch_path=… sets the schema."),
            ("connection_limit=5", "connection_limit is not an option"),
            ("pool_timeout=5", "pool_timeout is not an option of PostgreSQL here; remove it."),
            ("sslaccept=strict", "sslmode says what is verified."),
            ("useSSL=true", "sslmode says what is verified."),
            ("ssl_mode=require", "did you mean sslmode?"),
            ("connect_timout=5", "did you mean connect_timeout?"),
            ("autocommit=true", "autocommit is not an option"),
        ],
    )
    def test_what_the_driver_does_not_know_is_refused(self, query: str, hint: str) -> None:
        assert hint in _refused(query)

    @pytest.mark.parametrize(
        "query",
        [
            "sslmode=require",
            "options=-csearch_path%3Dshop",
            "options=-cjit%3Doff&options=-csearch_path%3Dshop",
            "connect_timeout=3",
            "application_name=shop",
            "host=one:5432&host=two:5432",
        ],
    )
    def test_what_it_knows_is_taken(self, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # libpq would look there, whatever the URL says.
        monkeypatch.setenv("PGHOSTADDR", "203.0.113.9")
        assert database_url(load_settings(_env_file=None, database_url=f"{_URL}?{query}")).query


class TestValues:
    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ("connect_timeout=abc", "connect_timeout must be a number"),
            ("tcp_user_timeout=1s", "tcp_user_timeout must be a number"),
            ("sslmode=nonsense", 'invalid sslmode value: "nonsense"'),
            ("target_session_attrs=x", 'invalid target_session_attrs value: "x"'),
            ("sslmode=require&sslmode=disable", "sslmode stands there 2 times; say it once."),
            ("prepare_threshold=x", "prepare_threshold must be a number, or none"),
            ("pgbouncer=x", "pgbouncer must be true or false"),
            ("pgbouncer=true&options=-csearch_path%3Dshop", "ALTER ROLE"),
            ("pgbouncer=true&prepare_threshold=0", "prepare_threshold has no use behind a pooler"),
        ],
    )
    def test_one_that_cannot_be_is_refused(self, query: str, reason: str) -> None:
        assert reason in _refused(query)


class TestPrepareThreshold:
    @pytest.mark.parametrize(
        ("query", "expected"), [("prepare_threshold=0", 0), ("prepare_threshold=none", None), ("sslmode=require", 5)]
    )
    def test_the_driver_gets_a_number(self, query: str, expected: int | None) -> None:
        assert dialect.connect_arguments(make_url(f"{_URL}?{query}"), "read", 5)["prepare_threshold"] == expected


class TestPoolers:
    @pytest.mark.parametrize("role", ["read", "write"])
    def test_one_gets_no_options_of_ours(self, role: dialect.Role) -> None:
        arguments = dialect.connect_arguments(make_url(f"{_URL}?pgbouncer=true"), role, 5)

        assert "options" not in arguments
        assert arguments["prepare_threshold"] is None

    def test_one_may_get_what_names_the_database(self) -> None:
        settings = load_settings(_env_file=None, database_url=f"{_URL}?pgbouncer=true&options=reference%3Dshop")

        assert database_url(settings).query["options"] == "reference=shop"

    def test_migrations_do_not_go_through_one(self) -> None:
        pooled = load_settings(_env_file=None, database_url=f"{_URL}?pgbouncer=true")

        with pytest.raises(SettingsError, match=r"^DATABASE_MIGRATION_URL must lead to the database itself"):
            database_migration_url(pooled)
