import json
from collections.abc import Generator

import pytest

from app.auth.scheme import CHALLENGE
from app.core import context
from app.core.context import RequestContext
from app.core.errors import AppError, Detail, Invalid, Unauthenticated, Unavailable
from app.http.responses import crash_response, error_response, http_error_response
from app.observability.logging import configure_logging

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(autouse=True)
def _request() -> Generator[None]:
    context.enter(RequestContext("id", _TRACE, "GET", "/"))
    yield
    context._current.set(None)  # noqa: SLF001 - requests end with their task or thread


def because(error: AppError, cause: Exception) -> AppError:
    error.__cause__ = cause
    return error


class TestErrorResponse:
    def test_it_has_the_one_shape(self) -> None:
        answer = error_response(Invalid("No.", details=[Detail("items.0.sku", "missing", "Field required")]))

        assert (answer.status, answer.headers) == (422, {"Content-Type": "application/json"})
        assert json.loads(answer.body) == {
            "code": "validation_error",
            "message": "No.",
            "details": [{"field": "items.0.sku", "code": "missing", "message": "Field required"}],
            "trace_id": _TRACE,
        }

    def test_without_details_there_is_no_list(self) -> None:
        assert json.loads(error_response(AppError()).body).keys() == {"code", "message", "trace_id"}

    def test_a_long_list_of_details_is_cut_and_counted(self) -> None:
        content = json.loads(error_response(Invalid("No.", details=[Detail("a", "b", "c")] * 25)).body)

        assert (len(content["details"]), content["message"]) == (20, "No. 5 more are not listed.")

    def test_no_more_of_a_long_name_is_repeated_than_tells_which_is_meant(self) -> None:
        content = json.loads(error_response(Invalid(details=[Detail("x" * 200_000, "b", "c")])).body)

        assert [detail["field"] for detail in content["details"]] == ["x" * 100 + "…"]

    def test_headers_of_the_failure_are_sent(self) -> None:
        assert error_response(Unavailable()).headers["Retry-After"] == "5"

    def test_who_is_not_known_is_told_how_to_be(self) -> None:
        assert error_response(Unauthenticated()).headers["WWW-Authenticate"] == CHALLENGE


class TestCauses:
    @pytest.mark.parametrize("kind", ["failure", "crash"])
    def test_the_log_is_told_and_the_client_is_not(self, capfdbinary: pytest.CaptureFixture[bytes], kind: str) -> None:
        configure_logging("INFO")
        cause = RuntimeError("port 5432 refused")
        answer = crash_response(cause) if kind == "crash" else error_response(because(Unavailable(), cause))

        assert b"5432" not in answer.body
        assert b"port 5432 refused" in capfdbinary.readouterr().out

    def test_a_clients_mistake_is_not_logged(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        configure_logging("INFO")
        error_response(because(Invalid(), ValueError("x")))

        assert capfdbinary.readouterr().out == b""


class TestFailuresByStatus:
    @pytest.mark.parametrize(
        ("status", "code"),
        [(403, "forbidden"), (409, "conflict"), (410, "gone"), (416, "range_not_satisfiable"), (599, "status_599")],
    )
    def test_their_code_is_known_or_the_statuss_name(self, status: int, code: str) -> None:
        response = http_error_response(status)

        assert (response.status, json.loads(response.body)["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("message", "said"),
        [
            ("Not yours.", "Not yours."),
            ("Conflict", "The request conflicts with the present state."),
            (None, "The request conflicts with the present state."),
            ({"why": "taken"}, '{"why":"taken"}'),
        ],
    )
    def test_their_message_is_that_of_who_raised_it(self, message: object, said: str) -> None:
        assert json.loads(http_error_response(409, message).body)["message"] == said

    def test_their_headers_stay(self) -> None:
        sent = {"Retry-After": "7", "WWW-Authenticate": "Basic", "Content-Length": "1", "Content-Type": "text/html"}
        response = http_error_response(401, headers=sent)

        assert response.headers == {
            "Content-Type": "application/json",
            "Retry-After": "7",
            "WWW-Authenticate": "Basic",
        }
