from app.http.cors import cors_headers

_PAGE = "https://shop.example"


class TestAnswers:
    def test_no_page_may_read_them_unless_origins_are_set(self) -> None:
        assert cors_headers((), _PAGE) == []

    def test_a_page_of_an_allowed_origin_may(self) -> None:
        headers = dict(cors_headers((_PAGE,), _PAGE))

        assert headers["Access-Control-Allow-Origin"] == _PAGE
        assert headers["Vary"] == "Origin"
        assert {"ETag", "Location", "X-Request-ID"} <= set(headers["Access-Control-Expose-Headers"].split(", "))

    def test_a_page_of_another_origin_may_not(self) -> None:
        for origin in ("https://evil.example", "http://shop.example", f"{_PAGE}.evil.example", "null", None):
            assert cors_headers((_PAGE,), origin) == [("Vary", "Origin")]

    def test_a_star_allows_every_page(self) -> None:
        headers = dict(cors_headers(("*",), _PAGE))

        assert headers["Access-Control-Allow-Origin"] == "*"

    def test_credentials_are_never_allowed(self) -> None:
        for allowed in (("*",), (_PAGE,)):
            names = [name for name, _ in cors_headers(allowed, _PAGE, preflight_for="X-Client")]

            assert "Access-Control-Allow-Credentials" not in names


class TestPreflight:
    def test_an_allowed_page_may_send_the_headers_it_asks_for(self) -> None:
        headers = dict(cors_headers((_PAGE,), _PAGE, preflight_for="x-client, if-match"))

        assert headers["Access-Control-Allow-Headers"] == "x-client, if-match"
        assert {"PUT", "PATCH", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))

    def test_another_page_is_told_nothing(self) -> None:
        assert cors_headers((_PAGE,), "https://evil.example", preflight_for="x-client") == [("Vary", "Origin")]
