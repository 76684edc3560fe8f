"""Security events, and what the log may say of whom."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest
import structlog
from sqlalchemy.orm import Session

from app.auth.policy import requires
from app.auth.principal import Principal
from app.core import context
from app.core.context import RequestContext
from app.core.errors import Forbidden
from app.db.database import Database
from app.http.contract import Contract
from app.observability.access_log import log_request
from app.observability.logging import configure_logging
from app.observability.security_log import record, record_once_committed

Lines = Callable[[], list[dict[str, Any]]]

_KEY = "k" * 32


@pytest.fixture
def lines(capfdbinary: pytest.CaptureFixture[bytes]) -> Lines:
    """Return what was logged since the last call."""
    configure_logging("INFO")
    return lambda: [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def request_context() -> Generator[RequestContext]:
    current = RequestContext("request-1", "0" * 32, "GET", "/v1/things/1", client="192.0.2.7", principal="ada")
    context.enter(current)
    yield current
    context._current.set(None)  # noqa: SLF001 - requests end with their task or thread


class TestRecord:
    def test_it_says_who_did_what_from_where_in_which_request(self, lines: Lines) -> None:
        record("authn_login_fail", account="eve@example.com")

        (line,) = lines()
        assert line.pop("time")
        assert line == {
            "account": "eve@example.com",
            "event": "authn_login_fail",
            "level": "warning",
            "principal": "ada",
            "request_id": "request-1",
            "route": None,
            "security": True,
            "source_ip": "192.0.2.7",
            "trace_id": "0" * 32,
        }

    def test_outside_a_request_it_is_the_command_line(self, lines: Lines) -> None:
        context._current.set(None)  # noqa: SLF001 - as above
        record("authz_change", user="1")

        (line,) = lines()
        assert line["principal"] == "command line"
        assert "source_ip" not in line

    def test_a_refusal_says_what_was_missing(self, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.http.contract.SCOPES", {"things:read": "", "things:write": ""})

        @requires("things:read", "things:write", role="admin")
        def endpoint() -> None: ...

        with pytest.raises(Forbidden):
            Contract("GET", "/things", endpoint).access.check(Principal("ada", frozenset({"things:read"})))

        (line,) = lines()
        assert line["event"] == "authz_fail"
        assert (line["missing_scopes"], line["missing_roles"]) == (["things:write"], ["admin"])


class TestRecordOnceCommitted:
    def test_what_is_committed_is_recorded_once(self, lines: Lines, database: Database) -> None:
        database.write(lambda session: record_once_committed(session, "user_created", user="1"))
        database.write(lambda _: None)

        assert [line["event"] for line in lines()] == ["user_created"]

    def test_what_a_savepoint_has_kept_waits_for_the_rest(self, lines: Lines, session: Session) -> None:
        with session.begin_nested():
            record_once_committed(session, "user_created", user="1")
        session.rollback()

        assert lines() == []

    def test_what_is_taken_back_is_not(self, lines: Lines, database: Database) -> None:
        def fail(session: Session) -> None:
            record_once_committed(session, "user_created", user="1")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            database.write(fail)

        assert lines() == []


class TestPersonalData:
    def test_with_a_key_it_is_hashed_so_that_lines_still_belong_together(self, lines: Lines) -> None:
        configure_logging("INFO", _KEY)
        structlog.get_logger("app.x").info("x", account="Ada@example.com", source_ip="192.0.2.7", status=200)
        structlog.get_logger("app.x").info("x", account="ada@example.com", owner=None, source_ip="192.0.2.7")
        structlog.get_logger("app.x").info("x", user="eve@example.com")

        first, second, third = found = lines()
        assert "example.com" not in str(found)
        assert "192.0.2.7" not in str(found)
        assert first["account"] == second["account"] != third["user"]
        assert first["source_ip"] == second["source_ip"]
        assert (first["status"], second["owner"]) == (200, None)

    def test_another_key_gives_other_hashes(self, lines: Lines) -> None:
        for key in (_KEY, _KEY.upper()):
            configure_logging("INFO", key)
            structlog.get_logger("app.x").info("x", account="ada@example.com")

        assert len({line["account"] for line in lines()}) == 2

    @pytest.mark.parametrize("with_address", [True, False])
    def test_a_request_tells_its_address_if_asked_to(
        self, lines: Lines, request_context: RequestContext, *, with_address: bool
    ) -> None:
        log_request(request_context, 200, with_address=with_address)

        (line,) = lines()
        assert line.get("source_ip") == ("192.0.2.7" if with_address else None)
