from typing import Any

import pytest

from app.http.proxies import Proxies


class TestClient:
    @pytest.mark.parametrize(
        ("forwarded_for", "trusted", "client"),
        [
            ([], [], "10.0.0.1"),
            (["1.2.3.4"], [], "10.0.0.1"),
            (["1.2.3.4"], ["10.0.0.2"], "10.0.0.1"),
            (["1.2.3.4"], ["10.0.0.1"], "1.2.3.4"),
            (["1.2.3.4"], ["10.0.0.0/8"], "1.2.3.4"),
            (["6.6.6.6, 1.2.3.4"], ["10.0.0.1"], "1.2.3.4"),
            (["6.6.6.6", "1.2.3.4"], ["10.0.0.1"], "1.2.3.4"),
            (["1.2.3.4, 10.0.0.2"], ["10.0.0.0/8"], "1.2.3.4"),
            (["6.6.6.6, 1.2.3.4, 10.0.0.2"], ["10.0.0.1", "10.0.0.2"], "1.2.3.4"),
            (["10.0.0.3, 10.0.0.2"], ["10.0.0.0/8"], "10.0.0.3"),
            (["1.2.3.4, 5.6.7.8"], ["*"], "1.2.3.4"),
            (["2001:db8::1"], ["10.0.0.1"], "2001:db8::1"),
            (["2001:db8::1"], ["10.0.0.0/8"], "2001:db8::1"),
            (["unknown"], ["10.0.0.1"], "unknown"),
            # Azure's proxies write the port, too.
            (["1.2.3.4:511"], ["10.0.0.1"], "1.2.3.4"),
            (["[2001:db8::1]:511"], ["10.0.0.1"], "2001:db8::1"),
            (["6.6.6.6, 1.2.3.4:511, 10.0.0.2:80"], ["10.0.0.0/8"], "1.2.3.4"),
            # What can never match trusts nobody.
            (["1.2.3.4"], ["10.0.0.0/33", "proxy"], "10.0.0.1"),
        ],
    )
    def test_proxies_are_believed_as_far_as_they_are_trusted(
        self, forwarded_for: list[str], trusted: list[str], client: str
    ) -> None:
        assert client == _client(forwarded_for, trusted)

    def test_an_ipv4_address_may_be_written_as_an_ipv6_one(self) -> None:
        assert _client(["1.2.3.4"], ["10.0.0.0/8"], peer="::ffff:10.0.0.1") == "1.2.3.4"


class TestScheme:
    @pytest.mark.parametrize(
        ("forwarded_proto", "trusted", "scheme"),
        [
            ([], ["10.0.0.1"], "http"),
            (["https"], [], "http"),
            (["https"], ["10.0.0.2"], "http"),
            (["https"], ["10.0.0.1"], "https"),
            (["HTTPS"], ["10.0.0.1"], "https"),
            (["https,https"], ["10.0.0.1"], "https"),
            (["http", "https"], ["10.0.0.1"], "https"),
            (["https, http"], ["10.0.0.1"], "http"),
            (["ftp"], ["10.0.0.1"], "http"),
        ],
    )
    def test_it_is_what_the_nearest_trusted_proxy_says(
        self, forwarded_proto: list[str], trusted: list[str], scheme: str
    ) -> None:
        assert scheme == _corrected("x-forwarded-proto", forwarded_proto, trusted)["scheme"]


def _client(forwarded_for: list[str], trusted: list[str], peer: str = "10.0.0.1") -> str:
    client: str = _corrected("x-forwarded-for", forwarded_for, trusted, peer)["client"][0]
    return client


def _corrected(name: str, values: list[str], trusted: list[str], peer: str = "10.0.0.1") -> dict[str, Any]:
    headers = [(name.encode(), value.encode()) for value in values]
    scope: dict[str, Any] = {"client": (peer, 5000), "scheme": "http", "headers": headers}
    Proxies(trusted).correct(scope)
    return scope
