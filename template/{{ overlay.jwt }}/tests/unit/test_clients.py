import pytest

from app.http.clients import counted


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
