import pytest

from app.core.errors import NotAcceptable
from app.http.negotiation import require_acceptable


class TestAccept:
    @pytest.mark.parametrize(
        "accept",
        [
            "",
            " ",
            ",",
            "*/*",
            "application/*",
            "application/json",
            "Application/JSON",
            "application/json; q=0.001",
            "text/html, application/xhtml+xml, */*;q=0.8",
            "text/html;q=0, application/json",
            "*/*;q=0, application/json;q=0.5",
        ],
    )
    def test_a_client_that_takes_json_gets_it(self, accept: str) -> None:
        require_acceptable([accept])

    def test_a_client_that_does_not_say_gets_it_too(self) -> None:
        require_acceptable([])

    def test_the_header_may_stand_on_several_lines(self) -> None:
        require_acceptable(["text/html", "application/json"])

    @pytest.mark.parametrize(
        "accept",
        [
            "text/html",
            "application/xml",
            "text/*",
            "application/problem+json",
            "application/json;q=0",
            "application/json; Q=0.0",
            "*/*, application/json;q=0",
            "application/*;q=0, */*",
            "*/*;q=",
            "json",
        ],
    )
    def test_a_client_that_does_not_is_told(self, accept: str) -> None:
        with pytest.raises(NotAcceptable):
            require_acceptable([accept])

    @pytest.mark.parametrize(
        "accept", ["text/csv", "text/*", "application/json;q=0, text/csv;q=0.1", "application/pdf"]
    )
    def test_one_of_several_is_enough(self, accept: str) -> None:
        require_acceptable([accept], ["text/csv; charset=utf-8", "application/pdf"])

    def test_what_is_offered_is_named(self) -> None:
        with pytest.raises(NotAcceptable, match="only available as text/csv or application/pdf"):
            require_acceptable(["application/json"], ["text/csv", "application/pdf"])
