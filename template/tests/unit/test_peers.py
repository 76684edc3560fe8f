import pytest

from app.core.peers import need_tls
from app.core.settings import Settings


@pytest.fixture
def production(settings: Settings) -> Settings:
    return settings.model_copy(update={"environment": "production", "plaintext_hosts": ("Mesh.internal", "10.0.0.5")})


class TestNeedTls:
    @pytest.mark.parametrize(
        "host", ["db.example", "10.0.0.6", "2001:db8::1", "localhost.example", "128.0.0.1", "", "mesh.internal.example"]
    )
    def test_it_is_for_other_machines(self, production: Settings, host: str) -> None:
        assert need_tls([host], production)
        assert need_tls(["localhost", host], production)

    @pytest.mark.parametrize(
        "host",
        ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "/var/run", "@socket", "mesh.Internal", "10.0.0.5"],
    )
    def test_it_is_not_for_this_one_nor_for_those_that_are_named(self, production: Settings, host: str) -> None:
        assert not need_tls([host], production)

    def test_it_is_for_production(self, settings: Settings) -> None:
        assert not need_tls(["db.example"], settings)

    def test_a_url_without_hosts_needs_no_tls(self, production: Settings) -> None:
        assert not need_tls([], production)
