import re
from pathlib import Path

import pytest

from app.core.errors import SettingsError
from app.core.settings import SECRETS, Settings, load_settings
from app.db import dialect
from app.db.url import database_migration_url, database_read_url, database_url

_SCHEME = dialect.SCHEMES[0]
_URL = f"{_SCHEME}://ada:hunter2@db.example/app"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(secrets: Path | None = None, **overrides: object) -> Settings:
    return load_settings(_env_file=None, _secrets_dir=secrets, **overrides)


_NO_HOSTS = (
    "https://hunter2.example",
    "hunter2.example:8000",
    "hunter2.example/",
    '["hunter2.example"]',
    ".hunter2.example",
    "hunter2.*",
    "api.*.example",
    "hünter2.example",
    "a,-hunter2.example",
    "*.[2001:db8::1]",
    "[2001:db8::1",
    "2001:db8::1]",
)
_NO_ORIGINS = (
    "https://hunter2.example/",
    "https://hunter2.example/app",
    "hunter2.example",
    '["https://hunter2.example"]',
    "https://*.hunter2.example",
    "https://A.hunter2.example",
    "https://hunter2.example:443",
    "http://hunter2.example:80",
    "https://a.example,https://",
    "https://hunter2.example:65536",
    "https://hunter2.example:08443",
    "https://[2001:db8::1]]",
    "https://[2001:db8:::1]",
    "https://[2001:0db8::1]",
    "null",
)

_NO_PREFIXES = (
    "hunter2",
    "//hunter2.example",
    "https://hunter2.example/shop",
    "/hunter2/../shop",
    "/hunter2/.",
    "/hunter2//shop",
    "/hunter2?",
    "/hunter 2",
    "/h%20unter2",
    "/v1",
    "/docs/",
)


class TestSources:
    def test_the_environment_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "9000")

        assert load().port == 9000

    def test_an_empty_variable_counts_as_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "")
        monkeypatch.setenv("CORS_ORIGINS", "")

        assert load().port == 8000
        assert load().cors_origins == ()

    @pytest.mark.parametrize("name", ["database_url", "DATABASE_URL"])
    def test_a_file_among_the_secrets_counts(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text(f"{_URL}\n", "utf-8")

        secret = load(tmp_path).database_url

        assert secret is not None
        assert secret.get_secret_value() == _URL

    def test_a_list_may_be_a_file_too(self, tmp_path: Path) -> None:
        (tmp_path / "trusted_hosts").write_text("a.example, b.example\n", "utf-8")

        assert load(tmp_path).trusted_hosts == ("a.example", "b.example")

    def test_the_environment_wins_over_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "port").write_text("9000", "utf-8")
        monkeypatch.setenv("PORT", "9001")

        assert load(tmp_path).port == 9001

    def test_the_files_are_where_containers_have_them(self) -> None:
        assert Path("/run/secrets") == SECRETS

    @pytest.mark.parametrize(("environment", "port"), [("", 9000), ("development", 9000), ("production", 8000)])
    def test_a_dotenv_file_counts_in_development_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str, port: int
    ) -> None:
        (tmp_path / ".env").write_text("PORT=9000\n", "utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ENVIRONMENT", environment)

        assert load_settings().port == port

    def test_a_dotenv_file_cannot_leave_development(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".env").write_text("ENVIRONMENT=production\n", "utf-8")
        monkeypatch.chdir(tmp_path)

        with pytest.raises(SettingsError, match=r"^ENVIRONMENT: \.env cannot set it"):
            load_settings()

    @pytest.mark.parametrize("text", ["a,b", " a , b ", "a,,b,"])
    def test_lists_are_split_at_commas(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRUSTED_HOSTS", text)

        assert load().trusted_hosts == ("a", "b")

    @pytest.mark.parametrize("text", ["*", "10.0.0.1", "10.0.0.1,10.1.0.0/16", "127.0.0.1/8", "2001:db8::/32"])
    def test_proxies_are_addresses_and_networks(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRUSTED_PROXIES", text)

        assert load().trusted_proxies == tuple(text.split(","))

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("TRUSTED_HOSTS", "*", ("*",)),
            ("TRUSTED_HOSTS", "Api.example.com.,*.example.com", ("api.example.com", "*.example.com")),
            ("TRUSTED_HOSTS", "10.0.0.1,[::1],2001:db8:0::1", ("10.0.0.1", "[::1]", "[2001:db8::1]")),
            ("PLAINTEXT_HOSTS", "Db_1,10.0.0.1,::1,[FD00:0::1]", ("db_1", "10.0.0.1", "::1", "fd00::1")),
            ("ROOT_PATH", "/shop/", "/shop"),
            ("ROOT_PATH", "/api/v1", "/api/v1"),
            ("ROOT_PATH", "/", ""),
            ("CORS_ORIGINS", "https://a.example,http://localhost:3000", ("https://a.example", "http://localhost:3000")),
            ("CORS_ORIGINS", "https://[::1]:8443,app://localhost,*", ("https://[::1]:8443", "app://localhost", "*")),
        ],
    )
    def test_entries_that_can_match_are_taken(
        self, name: str, text: str, value: tuple[str, ...] | str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, text)

        assert getattr(load(), name.lower()) == value

    def test_an_entry_that_cannot_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRUSTED_HOSTS", "api.example.com,https://hunter2.example")

        with pytest.raises(SettingsError, match=r"^TRUSTED_HOSTS: Value error, entry 2 can match no host"):
            load()


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "hunter2"),
            ("PORT", "65536"),
            ("OPERATIONS_PORT", "8000"),
            ("METRICS_PORT", "8000"),
            ("WORKERS", "0"),
            ("LOG_LEVEL", "hunter2"),
            ("ENVIRONMENT", "hunter2"),
            ("SECURITY_CONTACT", "hunter2"),
            ("SECURITY_CONTACT", "mailto:security@example.com,http://hunter2.example"),
            ("SECURITY_CONTACT", "mailto:security@example.com\nhunter2: 1"),
            *(("TRUSTED_HOSTS", value) for value in _NO_HOSTS),
            *(("PLAINTEXT_HOSTS", value) for value in (*_NO_HOSTS, "*", "*.hunter2.example")),
            *(("CORS_ORIGINS", value) for value in _NO_ORIGINS),
            ("TRUSTED_PROXIES", "hunter2"),
            ("TRUSTED_PROXIES", '["10.0.0.1"]'),
            ("TRUSTED_PROXIES", "10.0.0.1,10.0.0.0/33"),
            ("TRUSTED_PROXIES", "::ffff:10.0.0.0/104"),
            *(("ROOT_PATH", value) for value in _NO_PREFIXES),
            ("REQUEST_TIMEOUT_SECONDS", "0"),
            ("REQUEST_TIMEOUT_SECONDS", "nan"),
            ("MAX_BODY_BYTES", "-987654"),
            ("DATABASE_POOL_SIZE", "987654"),
        ],
    )
    def test_they_name_the_variable_and_never_the_value(
        self, name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, value)

        with pytest.raises(SettingsError, match=rf"^{name}: ") as failure:
            load()

        assert "hunter2" not in str(failure.value)
        assert "987654" not in str(failure.value)
        assert "\n" not in str(failure.value)

    def test_one_that_pydantic_reads_as_json_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Own(Settings):
            lamp_colours: tuple[str, ...] = ()

        monkeypatch.setattr("app.core.settings.Settings", Own)
        monkeypatch.setenv("LAMP_COLOURS", "hunter2,red")

        with pytest.raises(SettingsError, match=r"^LAMP_COLOURS: write it in JSON, a list like") as failure:
            load()

        assert "hunter2" not in str(failure.value)

    def test_all_are_named_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "x")
        monkeypatch.setenv("WORKERS", "x")

        with pytest.raises(SettingsError, match=r"PORT: .* WORKERS: "):
            load()

    def test_settings_do_not_show_passwords(self) -> None:
        assert "hunter2" not in repr(load(database_url=_URL))


class TestDatabaseUrl:
    @pytest.mark.parametrize("scheme", dialect.SCHEMES)
    def test_it_needs_no_driver(self, scheme: str) -> None:
        url = database_url(load(database_url=f"{scheme}://ada:hunter2@db.example/app"))

        assert url.drivername == dialect.DRIVER

    def test_production_must_have_one(self) -> None:
        with pytest.raises(SettingsError, match=r"^DATABASE_URL is not set\.") as failure:
            database_url(load(environment="production"))

        assert dialect.HOW_TO_START in str(failure.value)

    def test_development_has_one_or_is_told_how_to_start_one(self) -> None:
        if dialect.DEFAULT_URL is not None:
            assert database_url(load()).drivername == dialect.DRIVER
            return
        with pytest.raises(SettingsError, match=re.escape(dialect.HOW_TO_START)):
            database_url(load())

    @pytest.mark.parametrize(
        "url",
        [
            "oracle://ada:hunter2@db.example/app",
            "hunter2",
            f"{_SCHEME}://",
            f"{_SCHEME}://ada:hunter2@db.example",
            f"{_SCHEME}://ada:hunter2@db.example:hunter2/app",
        ],
    )
    def test_one_of_another_database_is_refused_with_how_to_start_one(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"^DATABASE_URL must be ") as failure:
            database_url(load(database_url=url))

        assert dialect.HOW_TO_START in str(failure.value)
        assert "hunter2" not in str(failure.value)

    def test_reads_go_there_too_unless_there_is_a_replica(self) -> None:
        replica = f"{_SCHEME}://ada@replica.example/app"

        assert database_url(load(database_url=_URL)) == database_read_url(load(database_url=_URL))
        assert database_read_url(load(database_url=_URL, database_read_url=replica)).host == "replica.example"

    def test_a_wrong_replica_is_called_by_its_name(self) -> None:
        with pytest.raises(SettingsError, match=r"^DATABASE_READ_URL must be "):
            database_read_url(load(database_url=_URL, database_read_url="oracle://db.example/app"))

    def test_migrations_go_there_too_unless_they_have_one_of_their_own(self) -> None:
        direct = f"{_SCHEME}://ada@direct.example/app"

        assert database_migration_url(load(database_url=_URL)) == database_url(load(database_url=_URL))
        assert database_migration_url(load(database_url=_URL, database_migration_url=direct)).host == "direct.example"

    def test_a_wrong_one_of_theirs_is_called_by_its_name(self) -> None:
        with pytest.raises(SettingsError, match=r"^DATABASE_MIGRATION_URL must be "):
            database_migration_url(load(database_url=_URL, database_migration_url="oracle://db.example/app"))

    def test_an_option_that_nobody_knows_is_named(self) -> None:
        with pytest.raises(SettingsError, match=r"^DATABASE_URL: shards is not an option of .* here; remove it\.$"):
            database_url(load(database_url=f"{_URL}?shards=3"))
