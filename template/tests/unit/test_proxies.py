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
        assert scheme == _corrected({"x-forwarded-proto": forwarded_proto}, trusted)["scheme"]


class TestForwarded:
    """RFC 7239."""

    @pytest.mark.parametrize(
        ("forwarded", "client", "scheme"),
        [
            ("for=1.2.3.4;proto=https", "1.2.3.4", "https"),
            ("For=1.2.3.4; Proto=HTTPS; by=10.0.0.1; host=api.example.com", "1.2.3.4", "https"),
            ("for=6.6.6.6, for=1.2.3.4", "1.2.3.4", "http"),
            ('for="1.2.3.4:511", for="10.0.0.2:80";proto=https', "1.2.3.4", "https"),
            ('for="[2001:db8::1]:511"', "2001:db8::1", "http"),
            ('for="1.2.3.\\4"', "1.2.3.4", "http"),
            ("for=_hidden", "_hidden", "http"),
            ("proto=https", "unknown", "https"),
            ('for="a,b;proto=https"', "a,b;proto=https", "http"),
            # Malformed ones say nothing.
            ("for=1.2.3.4;proto=https;x", "10.0.0.1", "http"),
            ('for="1.2.3.4', "10.0.0.1", "http"),
            # What a client adds to take what a proxy writes away.
            ('", for=1.2.3.4;proto=https', "1.2.3.4", "https"),
            ('for="x, for="[2001:db8::1]";proto=https', "2001:db8::1", "https"),
            ('for=6.6.6.6;=, for="1.2.3.4:80", for=10.0.0.2', "1.2.3.4", "http"),
            ("for=2001:db8::1", "10.0.0.1", "http"),
            ("", "10.0.0.1", "http"),
        ],
    )
    def test_it_says_the_same(self, forwarded: str, client: str, scheme: str) -> None:
        scope = _corrected({"forwarded": [forwarded]}, ["10.0.0.0/8"])

        assert (scope["client"][0], scope["scheme"]) == (client, scheme)

    @pytest.mark.parametrize(
        ("name", "written", "client"),
        [("x-forwarded-for", "1.2.3.4", "1.2.3.4"), ("x-forwarded-proto", "http", "10.0.0.1")],
    )
    def test_a_client_cannot_add_it_to_what_the_proxy_writes(self, name: str, written: str, client: str) -> None:
        scope = _corrected({"forwarded": ["for=6.6.6.6;proto=https"], name: [written]}, ["10.0.0.1"])

        assert (scope["client"][0], scope["scheme"]) == (client, "http")

    def test_others_are_not_believed(self) -> None:
        scope = _corrected({"forwarded": ["for=1.2.3.4;proto=https"]}, ["10.0.0.2"])

        assert (scope["client"][0], scope["scheme"]) == ("10.0.0.1", "http")


class TestPrefix:
    @pytest.mark.parametrize(
        ("prefixes", "forwarded_for", "root_path"),
        [
            ([], [], ""),
            (["/shop"], [], "/shop"),
            (["/shop/"], ["1.2.3.4"], "/shop"),
            (["/"], [], ""),
            # Each of the trusted proxies may have taken away a part, the one that is nearest last.
            (["/outer", "/inner"], ["1.2.3.4, 10.0.0.2"], "/outer/inner"),
            (["/outer, /inner"], ["1.2.3.4, 10.0.0.2"], "/outer/inner"),
            # What the client says is not theirs.
            (["/evil, /shop"], ["1.2.3.4"], "/shop"),
            (["/evil, /outer, /inner"], ["6.6.6.6, 1.2.3.4, 10.0.0.2"], "/outer/inner"),
            # No paths, or paths of the service itself.
            (["//evil.example"], [], ""),
            (["https://evil.example"], [], ""),
            (["shop"], [], ""),
            (["/a/../b"], [], ""),
            (["/shop?x"], [], ""),
            (["/shop\r\nx: y"], [], ""),
            (["/v1"], [], ""),
        ],
    )
    def test_it_is_what_trusted_proxies_say(
        self, prefixes: list[str], forwarded_for: list[str], root_path: str
    ) -> None:
        headers = {"x-forwarded-prefix": prefixes, "x-forwarded-for": forwarded_for}

        assert _corrected(headers, ["10.0.0.0/8"])["root_path"] == root_path
        assert _corrected(headers, ["10.1.0.0/16"])["root_path"] == ""
        assert _corrected(headers, [])["root_path"] == ""

    @pytest.mark.parametrize("root_path", ["", "/set"])
    def test_one_that_is_set_wins(self, root_path: str) -> None:
        assert _corrected({"x-forwarded-prefix": ["/shop"]}, ["*"], root_path=root_path)["root_path"] == root_path

    @pytest.mark.parametrize(
        ("path", "own"),
        [
            ("/v1/things", "/v1/things"),
            ("/shop/v1/things", "/v1/things"),
            ("/shop/shop/v1", "/shop/v1"),
            ("/shop", "/"),
            ("/shop/", "/"),
            ("/shopping", "/shopping"),
            ("/shop//v1", "//v1"),
        ],
    )
    @pytest.mark.parametrize(("prefixes", "root_path"), [(["/shop"], None), ([], "/shop")])
    def test_it_may_be_in_the_path_or_not(
        self, path: str, own: str, prefixes: list[str], root_path: str | None
    ) -> None:
        scope = _corrected({"x-forwarded-prefix": prefixes}, ["*"], root_path=root_path, path=path)

        assert (scope["path"], scope["root_path"]) == (own, "/shop")


def _client(forwarded_for: list[str], trusted: list[str], peer: str = "10.0.0.1") -> str:
    client: str = _corrected({"x-forwarded-for": forwarded_for}, trusted, peer)["client"][0]
    return client


def _corrected(
    headers: dict[str, list[str]],
    trusted: list[str],
    peer: str = "10.0.0.1",
    root_path: str | None = None,
    path: str = "/",
) -> dict[str, Any]:
    lines = [(name.encode(), value.encode()) for name, values in headers.items() for value in values]
    scope: dict[str, Any] = {"client": (peer, 5000), "scheme": "http", "headers": lines, "path": path}
    Proxies(trusted, root_path).correct(scope)
    return scope
