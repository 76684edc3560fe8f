import pytest

from app.http.hosts import is_trusted


class TestHost:
    @pytest.mark.parametrize("host", ["example.com", "example.com:8000", "EXAMPLE", "[::1]", "[::1]:80"])
    def test_any_well_formed_one_is_trusted_when_all_are(self, host: str) -> None:
        assert is_trusted(host, ())
        assert is_trusted(host, ("api.example.com", "*"))

    @pytest.mark.parametrize(
        "host",
        [
            "",
            " ",
            "a b",
            "a,b",
            "a/b",
            "u@a",
            "a:b",
            "a:",
            "a:123456",
            "::1",
            "[x]",
            "a\n",
            "ä",
            "<a>",
            ".",
            "a..b",
            ".a",
            "a..",
            f"{'a' * 64}.b",
            "a." * 128,
        ],
    )
    def test_a_malformed_one_never_is(self, host: str) -> None:
        assert not is_trusted(host, ())
        assert not is_trusted(host, (host, "*.example.com"))
        assert not is_trusted(host, ("*",))

    @pytest.mark.parametrize(
        "host", ["api.example.com", "API.example.com:443", "api.example.com.", "a.shop.example", "a.b.shop.example."]
    )
    def test_those_that_are_set_are_trusted(self, host: str) -> None:
        assert is_trusted(host, ("Api.Example.com", "*.Shop.example"))

    @pytest.mark.parametrize(
        "host", ["example.com", "evil.com", "xapi.example.com", "shop.example", "evilshop.example", "api.example.com.x"]
    )
    def test_refuses_other_hosts(self, host: str) -> None:
        assert not is_trusted(host, ("api.example.com", "*.shop.example"))
