from datetime import date

import pytest

from app.http.declared import declared
from app.http.deprecation import Deprecation, deprecated

_NOTE = "https://docs.example/v2"


class TestHeaders:
    def test_they_have_the_forms_of_rfc_9745_and_rfc_8594(self) -> None:
        @deprecated(since=date(2026, 1, 31), sunset=date(2026, 12, 24), link=_NOTE)
        def endpoint() -> None: ...

        found: Deprecation = declared(endpoint, "deprecation")

        assert found.headers() == [
            ("Deprecation", "@1769817600"),
            ("Sunset", "Thu, 24 Dec 2026 00:00:00 GMT"),
            ("Link", f'<{_NOTE}>; rel="deprecation"; type="text/html"'),
        ]


class TestDeclaration:
    def test_an_endpoint_without_one_is_not_deprecated(self) -> None:
        def endpoint() -> None: ...

        assert declared(endpoint, "deprecation") is None

    def test_nothing_goes_before_it_is_deprecated(self) -> None:
        with pytest.raises(ValueError, match="before"):
            deprecated(since=date(2026, 2, 1), sunset=date(2026, 1, 31), link=_NOTE)
