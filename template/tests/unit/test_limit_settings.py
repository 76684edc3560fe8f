"""Limits that are no rates, and counters that can never be reached, stop the start with a sentence."""

from typing import Any

import pytest

from app.core.errors import SettingsError
from app.core.settings import Settings, load_settings
from app.limits import checks
from app.limits.rates import quota


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(**overrides: Any) -> Settings:
    return load_settings(_env_file=None, **overrides)


class TestRates:
    @pytest.mark.parametrize(
        ("rate", "found"),
        [("1/second", (1, 1)), ("10/minute", (10, 60)), ("1000000/hour", (1_000_000, 3600)), ("5/day", (5, 86_400))],
    )
    def test_a_rate_is_a_number_and_a_time(self, rate: str, found: tuple[int, int]) -> None:
        assert load(rate_limit_writes=rate).rate_limit_writes == rate
        assert quota(rate) == found

    @pytest.mark.parametrize(
        "rate", ["abc", "0/minute", "0", "10", "10/fortnight", "-1/minute", "1/minute;2/hour", "1/minute\n", "٣/minute"]
    )
    def test_anything_else_is_refused_by_name(self, rate: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_WRITES: .*like 300/minute"):
            load(rate_limit_writes=rate)


class TestStorage:
    @pytest.mark.parametrize(
        "url",
        [
            "memory://",
            "redis://localhost/0",
            "redis://127.0.0.1:6379/0",
            "redis+unix:///var/run/redis.sock",
            "rediss://:hunter2@cache.example/0",
            "valkey://localhost:6379",
            "valkeys://:hunter2@cache.example/0",
        ],
    )
    def test_others_are_taken_in_production(self, url: str) -> None:
        checks.check(_production(rate_limit_storage_url=url))

    @pytest.mark.parametrize(
        "url",
        [
            "hunter2",
            "memory://hunter2",
            "memcached://hunter2",
            "redis:hunter2",
            "redis+unix://",
            "redis://hunter2:99999/0",
            "redis://hunter2:port/0",
            "redis://[hunter2/0",
            "redis://localhost/hunter2",
        ],
    )
    def test_one_that_cannot_be_is_refused_by_name(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE_URL: ") as refusal:
            load(rate_limit_storage_url=url)

        assert "hunter2" not in str(refusal.value)

    @pytest.mark.parametrize("option", ["hunter=2", "ssl_cert_reqs=required", "socket_timeout=hunter2"])
    def test_one_with_an_option_that_cannot_be_is_refused_by_name(self, option: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE_URL: ") as refusal:
            checks.check(load(rate_limit_storage_url=f"redis://localhost/0?{option}"))

        assert "hunter" not in str(refusal.value)

    @pytest.mark.parametrize(
        "url",
        [
            "redis://:hunter2@cache.example/0",
            "valkey://:hunter2@cache.example/0",
            "redis://:hunter2@/0?host=cache.example",
            "rediss://:hunter2@cache.example/0?ssl_cert_reqs=none",
            "rediss://:hunter2@cache.example/0?ssl_check_hostname=false",
        ],
    )
    def test_on_another_machine_it_has_to_prove_who_it_is(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE_URL: ") as failure:
            checks.check(_production(rate_limit_storage_url=url))
        assert "hunter2" not in str(failure.value)

        checks.check(_production(rate_limit_storage_url=url, plaintext_hosts=("cache.example",)))

    def test_its_password_is_not_shown(self) -> None:
        assert "hunter2" not in repr(load(rate_limit_storage_url="redis://:hunter2@cache.example/0"))


def _production(**overrides: Any) -> Settings:
    return load(environment="production", **overrides)
