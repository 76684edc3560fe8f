import json
import logging
from collections.abc import Callable, Generator
from typing import Any
from uuid import UUID

import pytest
import structlog

from app.core import context
from app.core.context import RequestContext
from app.observability.access_log import log_request
from app.observability.logging import configure_logging

Lines = Callable[[], list[dict[str, Any]]]

_KEY = "Bearer hunter2-hunter2_hunter2"


@pytest.fixture
def lines(capfdbinary: pytest.CaptureFixture[bytes]) -> Lines:
    """Return what was logged since the last call: each line is an object, or this fails."""
    configure_logging("INFO")
    return lambda: [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


@pytest.fixture
def request_context() -> Generator[RequestContext]:
    current = RequestContext("request-1", "4bf92f3577b34da6a3ce929d0e0e4736", "GET", "/v1/things/1")
    context.enter(current)
    yield current
    context._current.set(None)  # noqa: SLF001 - requests end with their task or thread


def fail(message: str) -> None:
    raise RuntimeError(message)


class TestLines:
    def test_ours_and_those_of_libraries_are_json_with_time_and_level(self, lines: Lines) -> None:
        structlog.get_logger("app.x").info("ours", number=1, id=UUID(int=7))
        logging.getLogger("some.library").warning("theirs: %s\n%s", "a", "b")

        ours, theirs = lines()
        assert (ours["event"], ours["level"], ours["number"], ours["id"]) == ("ours", "info", 1, str(UUID(int=7)))
        assert (theirs["event"], theirs["level"]) == ("theirs: a\nb", "warning")
        assert ours["time"].endswith("Z")
        assert theirs["time"].endswith("Z")

    def test_lower_levels_are_left_out(self, lines: Lines) -> None:
        structlog.get_logger("app.x").debug("ours")
        logging.getLogger("some.library").debug("theirs")

        assert lines() == []

    def test_the_servers_request_lines_are_left_out(self, lines: Lines) -> None:
        logging.getLogger("granian.access").info("GET / 200")

        assert lines() == []

    def test_a_traceback_stays_in_its_line(self, lines: Lines) -> None:
        try:
            fail("boom")
        except RuntimeError:
            structlog.get_logger("app.x").exception("ours")
            logging.getLogger("some.library").exception("theirs")

        assert [line["exception"].splitlines()[-1] for line in lines()] == ["RuntimeError: boom"] * 2

    def test_values_that_json_does_not_have_do_no_harm(self, lines: Lines) -> None:
        structlog.get_logger("app.x").info("ours", value=object, nested={1: {2}}, big=10**30, text="\ud800")
        logging.getLogger("some.library").info("theirs", extra={"big": 10**30, "text": "\ud800"})

        assert [line["event"] for line in lines()] == ["ours", "theirs"]


class TestRequests:
    def test_a_line_says_which_request_it_belongs_to(self, lines: Lines, request_context: RequestContext) -> None:
        structlog.get_logger("app.x").info("ours")
        logging.getLogger("some.library").info("theirs")

        wanted = (request_context.request_id, request_context.trace_id)
        assert [wanted, wanted] == [(line["request_id"], line["trace_id"]) for line in lines()]

    def test_each_request_has_one_line_without_its_path(self, lines: Lines, request_context: RequestContext) -> None:
        request_context.route, request_context.principal = "/v1/things/{thing_id}", "ada"
        log_request(request_context, 200)

        (line,) = lines()
        assert request_context.path not in str(line)
        assert line.pop("duration") >= 0
        assert line.pop("time")
        assert line == {
            "event": "request",
            "level": "info",
            "method": "GET",
            "principal": "ada",
            "request_id": "request-1",
            "route": "/v1/things/{thing_id}",
            "status": 200,
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }


class TestSecrets:
    @pytest.mark.parametrize(
        "key",
        [
            *("password", "new_password", "PASSWD", "client_secret", "access_token", "refreshToken", "Authorization"),
            *("cookie", "Set-Cookie", "api_key", "X-API-Key", "apikey", "_password"),
        ],
    )
    def test_values_under_a_telling_name_are_hidden_at_any_depth(self, lines: Lines, key: str) -> None:
        structlog.get_logger("app.x").info("x", **{key: "hunter2"}, inner={"list": [{key: {"deep": "hunter2"}}]})

        (line,) = lines()
        assert "hunter2" not in str(line)
        assert line[key] == "[hidden]"

    @pytest.mark.parametrize(
        "text",
        [
            "Authorization: Bearer hunter2",
            "sent basic aHVudGVyMg:hunter2",
            f"sent {_KEY}, and went",
            "connecting to https://ada:hunter2@db.example/app",
            "store://:hunter2@cache.example/0",
        ],
    )
    def test_what_has_the_form_of_one_is_hidden_wherever_it_stands(self, lines: Lines, text: str) -> None:
        log = structlog.get_logger("app.x")
        log.info(text)
        log.info("x", value=text, nested=[{"a": (text, {text})}])
        log.info("x", value=text.encode(), error=ValueError(text))
        logging.getLogger("some.library.child").warning("theirs: %s", text)
        logging.getLogger("some.library").warning("theirs", extra={"value": text})

        found = lines()
        assert len(found) == 5
        assert "hunter2" not in str(found)

    def test_what_is_too_long_to_search_is_cut_before_a_word_that_may_be_half_a_secret(self, lines: Lines) -> None:
        url = "https://ada:hunter2@db.example/app"
        structlog.get_logger("app.x").info("x", value=f"{url} {'x ' * 16_354}{url}", word="x" * 40_000)

        (line,) = lines()
        assert line["value"].startswith("https://[hidden]@db.example/app x x")
        assert "hunter" not in line["value"]
        assert (line["value"][-5:], line["word"]) == ("[cut]", "[cut]")

    @pytest.mark.parametrize("part", ["://:", "-eyJ", "bearer ", "basic", "://a:"])
    def test_the_time_of_a_search_does_not_grow_with_what_is_sent(self, lines: Lines, part: str) -> None:
        # It would take minutes.
        structlog.get_logger("app.x").info("x", value=part * 2**18, words=f"{part * 2**12} " * 2**6)

        assert len(lines()) == 1

    def test_tracebacks_are_searched_too(self, lines: Lines) -> None:
        try:
            fail(f"refused {_KEY}")
        except RuntimeError:
            structlog.get_logger("app.x").exception("ours")
            logging.getLogger("some.library.child").exception("theirs")

        found = lines()
        assert "hunter2" not in str(found)
        assert all("RuntimeError: refused [hidden]" in line["exception"] for line in found)

    def test_a_logger_that_turned_away_from_its_parents_is_no_leak(self, lines: Lines) -> None:
        child = logging.getLogger("some.library.child")
        child.setLevel("DEBUG")
        child.debug("sent %s", _KEY)
        child.setLevel("NOTSET")

        assert "hunter2" not in str(lines())
