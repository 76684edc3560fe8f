import re

import pytest

from app.http.headers import HSTS, NO_STORE, below, new_trace_id, passed_on, request_id, response_headers, traceparent

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_PARENT = "00f067aa0ba902b7"


class TestRequestId:
    @pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 128])
    def test_a_sane_one_is_kept(self, sent: str) -> None:
        assert sent == request_id(sent)

    @pytest.mark.parametrize("sent", [None, "", "x" * 129, "a b", "a\n", "a\r\nSet-Cookie: b", "ž", "{}", "a/b"])
    def test_any_other_is_replaced(self, sent: str | None) -> None:
        made = request_id(sent)

        assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", made)
        assert made != sent

    def test_made_ones_differ(self) -> None:
        assert request_id(None) != request_id(None)


class TestTraceId:
    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(f"00-{_TRACE}-{_PARENT}-01", id="sampled"),
            pytest.param(f"00-{_TRACE}-{_PARENT}-00", id="not sampled"),
            pytest.param(f"01-{_TRACE}-{_PARENT}-01", id="next version"),
            pytest.param(f"cc-{_TRACE}-{_PARENT}-01-what-the-future-brings", id="later version with more fields"),
        ],
    )
    def test_the_clients_is_kept(self, sent: str) -> None:
        caller = traceparent(sent)

        assert caller is not None
        assert (caller.trace_id, caller.span_id) == (_TRACE, _PARENT)

    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(None, id="none"),
            pytest.param("", id="empty"),
            pytest.param(_TRACE, id="trace alone"),
            pytest.param(f"ff-{_TRACE}-{_PARENT}-01", id="version ff"),
            pytest.param(f"ff-{_TRACE}-{_PARENT}-01-more", id="version ff with more fields"),
            pytest.param(f"00-{_TRACE}-{_PARENT}-01-more", id="version 00 with more fields"),
            pytest.param(f"00-{_TRACE}-{_PARENT}-01-", id="version 00 with a dash more"),
            pytest.param(f"01-{_TRACE}-{_PARENT}-01more", id="no dash before more"),
            pytest.param(f"00-{'0' * 32}-{_PARENT}-01", id="no trace"),
            pytest.param(f"00-{_TRACE}-{'0' * 16}-01", id="no parent"),
            pytest.param(f"00-{_TRACE.upper()}-{_PARENT}-01", id="upper case"),
            pytest.param(f"00-{_TRACE[1:]}-{_PARENT}-01", id="too short"),
            pytest.param(f"00-{_TRACE}-{_PARENT}", id="no flags"),
            pytest.param(f" 00-{_TRACE}-{_PARENT}-01", id="space"),
        ],
    )
    def test_an_invalid_one_is_none(self, sent: str | None) -> None:
        assert traceparent(sent) is None

    @pytest.mark.parametrize(
        ("state", "is_passed_on"),
        [("vendor=1", True), ("v=" + "x" * 510, True), ("v=" + "x" * 511, False), ("v=\u00e9", False), ("", False)],
    )
    def test_what_others_cannot_take_is_not_passed_on(self, state: str, *, is_passed_on: bool) -> None:
        parent = f"00-{_TRACE}-{_PARENT}-01"

        assert passed_on(parent, state) == {"traceparent": parent, **({"tracestate": state} if is_passed_on else {})}
        assert passed_on(f"cc-{_TRACE}-{_PARENT}-01-\u00e9", "") == {}

    def test_made_ones_are_of_the_same_form(self) -> None:
        assert re.fullmatch("[0-9a-f]{32}", new_trace_id())


class TestBelow:
    @pytest.mark.parametrize(
        ("value", "seen"),
        [
            ("/v1/things/1", "/shop/v1/things/1"),
            ("/", "/shop/"),
            ("/shopping", "/shop/shopping"),
            # By a framework that knows it.
            ("/shop/v1/things/1", "/shop/v1/things/1"),
            ("/shop?page=2", "/shop?page=2"),
            ("things/1", "things/1"),
            ("//cdn.example/x", "//cdn.example/x"),
            ("https://example.com/v1", "https://example.com/v1"),
        ],
    )
    def test_a_location_is_where_the_service_is(self, value: str, seen: str) -> None:
        headers = [(b"location", value.encode()), (b"x-path", b"/v1")]

        assert list(below("/shop", headers)) == [(b"location", seen.encode()), (b"x-path", b"/v1")]
        assert list(below("", headers)) == headers


class TestResponseHeaders:
    def test_every_answer_has_an_id_and_the_security_headers(self) -> None:
        headers = response_headers("id", secure=False, private=False, sent=[])

        assert dict(headers) == {
            "X-Request-ID": "id",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
        }

    def test_behind_tls_clients_are_told_to_stay_there(self) -> None:
        headers = response_headers("id", secure=True, private=False, sent=[])

        assert HSTS in headers

    def test_what_is_for_one_caller_is_not_stored(self) -> None:
        headers = response_headers("id", secure=False, private=True, sent=[])

        assert NO_STORE in headers

    def test_what_the_answer_has_already_is_kept(self) -> None:
        headers = response_headers("id", secure=True, private=True, sent=["cache-control", "x-frame-options"])

        assert not {"Cache-Control", "X-Frame-Options"} & {name for name, _ in headers}
