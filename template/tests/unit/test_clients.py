import pytest

from app.limits.clients import origins_of


class TestOrigins:
    @pytest.mark.parametrize(
        ("address", "keys"),
        [
            ("1.2.3.4", ["1.2.3.4"]),
            ("::ffff:1.2.3.4", ["1.2.3.4"]),
            ("2001:db8::1", ["2001:db8::/64", "2001:db8::/48"]),
            ("2001:db8::ffff:1", ["2001:db8::/64", "2001:db8::/48"]),
            ("2001:db8:0:1::1", ["2001:db8:0:1::/64", "2001:db8::/48"]),
            ("fe80::1%eth0", ["fe80::/64", "fe80::/48"]),
            ("fe80::1%" + "x" * 10_000, ["fe80::/64", "fe80::/48"]),
            ("", ["unknown"]),
            ("testclient", ["unknown"]),
            ("x" * 10_000, ["unknown"]),
        ],
    )
    def test_a_client_cannot_take_many_keys(self, address: str, keys: list[str]) -> None:
        assert [origin.key for origin in origins_of(address)] == keys
