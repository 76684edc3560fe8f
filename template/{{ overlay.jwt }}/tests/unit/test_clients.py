import pytest

from app.http.clients import client_address, counted


class TestClientAddress:
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
            (["unknown"], ["10.0.0.1"], "unknown"),
        ],
    )
    def test_proxies_are_believed_as_far_as_they_are_trusted(
        self, forwarded_for: list[str], trusted: list[str], client: str
    ) -> None:
        assert client == client_address("10.0.0.1", forwarded_for, trusted)


class TestCounted:
    @pytest.mark.parametrize(
        ("address", "key"),
        [
            ("1.2.3.4", "1.2.3.4"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8::ffff:1", "2001:db8::/64"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("", "unknown"),
            ("testclient", "unknown"),
            ("x" * 10_000, "unknown"),
        ],
    )
    def test_a_client_cannot_take_many_keys(self, address: str, key: str) -> None:
        assert key == counted(address)
