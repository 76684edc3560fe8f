"""The feature of tests/test_features.py, as the service has it."""

import pytest
from pydantic import SecretStr

from app.core.errors import SettingsError
from app.core.settings import Settings, load_settings
from app.main import create_app
from tests.client import open_client
from tests.conftest import Command


def with_cache(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"cache_url": SecretStr(url)})


def test_its_settings_are_read_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_SECONDS", "5")

    assert load_settings(_env_file=None).cache_seconds == 5


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_SECONDS", "0")

    with pytest.raises(SettingsError, match=r"^CACHE_SECONDS: "):
        load_settings(_env_file=None)


def test_its_check_stops_the_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"^CACHE_URL must begin with redis://"):
        create_app(with_cache(settings, "http://cache"))


@pytest.mark.parametrize(
    ("url", "status", "result"),
    [("redis://a", 200, "ok"), ("redis://a:1", 503, "failed"), ("redis://a:2", 503, "failed")],
)
def test_readiness_asks_it(settings: Settings, url: str, status: int, result: str) -> None:
    with open_client(with_cache(settings, url)) as client:
        answer = client.get("/readyz")

    assert answer.status_code == status
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "cache": result}


def test_its_command_is_there(command: Command) -> None:
    assert command("cache", "show").out == "60 seconds\n"


def test_it_is_around_every_request(settings: Settings) -> None:
    with open_client(settings) as client:
        answers = [client.get("/healthz"), client.get("/v1/nowhere")]

    assert [answer.headers["x-cache-seconds"] for answer in answers] == ["60", "60"]
