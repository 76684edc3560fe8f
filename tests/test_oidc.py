"""A service with a real identity provider that changes its keys, goes away and comes back, and with one that errs."""

import itertools
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Event, Thread

import httpx2
import pytest

from tests.conftest import Install
from tests.identity import AUDIENCE, NewProvider
from tests.rendering import choices
from tests.service import Service
from tests.wire.service import Who

SECONDS = 60
HURRIED = {
    "AUTH_OIDC_KEYS_REFRESH_SECONDS": "2",
    "AUTH_OIDC_KEYS_FLOOR_SECONDS": "1",
    "AUTH_OIDC_TIMEOUT_SECONDS": "10",
}
ALWAYS = 6  # answers in a row, so that each of two processes has given one


@pytest.fixture(params=choices("framework"))
def service(request: pytest.FixtureRequest, install: Install) -> Service:
    """Return a migrated service that looks for new keys often."""
    answers = {"framework": request.param, "database": "sqlite", "auth": "oidc", "example": True}
    service = install(answers).with_settings(HURRIED)
    service.run("uv", "run", "just", "migrate")
    return service


def statuses(base_url: str, who: Who, times: int = ALWAYS) -> set[int]:
    """Return the statuses of some requests, each on a connection of its own."""
    urls = [f"{base_url}/v1/orders"] * times
    return {httpx2.get(url, headers=who, timeout=10, trust_env=False).status_code for url in urls}


def becomes(status: int, base_url: str, who: Who) -> bool:
    """Return whether all requests are answered with `status` before long."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if statuses(base_url, who) == {status}:
            return True
        time.sleep(0.1)
    return False


def log_of(service: Service) -> str:
    """Return what the service has logged."""
    return (service.directory / "serve.log").read_text("utf-8")


class TestRotation:
    def test_new_keys_are_taken_and_old_ones_dropped(self, service: Service, new_provider: NewProvider) -> None:
        provider = new_provider()
        configured = service.with_settings({**provider.settings, "WORKERS": "2"})
        with configured.serving() as base_url:
            with provider.running():
                old = provider.bearer("alice")
                assert {200} == statuses(base_url, old)
            with provider.with_keys("second", "first").running():
                new = provider.bearer("alice")
                assert becomes(200, base_url, new)
                assert {200} == statuses(base_url, old)
            with provider.with_keys("second").running():
                assert becomes(401, base_url, old)
                assert {200} == statuses(base_url, new)


class TestAbsence:
    def test_a_service_that_starts_first_waits_for_its_provider(
        self, service: Service, new_provider: NewProvider
    ) -> None:
        provider = new_provider()
        with provider.running():
            who = provider.bearer("alice")
        with service.with_settings({**provider.settings, "WORKERS": "2"}).serving() as base_url:
            answer = httpx2.get(f"{base_url}/v1/orders", headers=who)
            assert (503, "unavailable") == (answer.status_code, answer.json()["code"])
            assert int(answer.headers["retry-after"]) > 0
            assert {503} == statuses(base_url, who)
            assert {401} == statuses(base_url, {"Authorization": "Bearer garbage"})
            assert {401} == statuses(base_url, {})
            for path in ("/healthz", "/readyz"):
                assert 200 == httpx2.get(f"{base_url}{path}").status_code
            with provider.running():
                assert becomes(200, base_url, who)
                # The provider that stops at the end of the block would be missed again.
                workers = 2
                assert log_of(service).count("identity provider not reached") <= workers

    def test_keys_stay_in_use_while_the_provider_is_away(self, service: Service, new_provider: NewProvider) -> None:
        provider = new_provider()
        with service.with_settings(provider.settings).serving() as base_url:
            with provider.running():
                who = provider.bearer("alice")
                assert {200} == statuses(base_url, who)
            deadline = time.monotonic() + SECONDS
            while "identity provider not reached" not in log_of(service) and time.monotonic() < deadline:
                assert {200} == statuses(base_url, who)
            assert {200} == statuses(base_url, who)
            with provider.with_keys("second").running():
                assert becomes(200, base_url, provider.bearer("bob"))
                assert 1 == log_of(service).count("identity provider not reached")


class TestAudience:
    def test_a_token_for_another_service_is_refused(self, service: Service, new_provider: NewProvider) -> None:
        with (
            new_provider().running() as provider,
            service.with_settings(provider.settings).serving() as base_url,
        ):
            assert {401} == statuses(base_url, provider.bearer("alice", audience="https://other.example"))
            assert {200} == statuses(base_url, provider.bearer("alice", audience=AUDIENCE))


class TestAddress:
    def test_a_provider_is_reached_elsewhere_and_its_tokens_must_say_what_they_are(
        self, service: Service, new_provider: NewProvider
    ) -> None:
        with new_provider().running() as provider:
            elsewhere = provider.issuer.replace("127.0.0.1", "localhost")
            found = {"AUTH_OIDC_DISCOVERY_URL": f"{elsewhere}/.well-known/openid-configuration"}
            configured = {**provider.settings, **found, "AUTH_OIDC_TOKEN_TYPE": "at+jwt"}
            with service.with_settings(configured).serving() as base_url:
                assert {200} == statuses(base_url, provider.bearer("alice"))


class TestTokens:
    def test_a_token_that_has_expired_is_refused(self, service: Service, new_provider: NewProvider) -> None:
        provider = new_provider().with_lifetime(1)
        configured = service.with_settings({**provider.settings, "AUTH_OIDC_LEEWAY_SECONDS": "0"})
        with provider.running(), configured.serving() as base_url:
            who = provider.bearer("alice")
            assert becomes(401, base_url, who)
        assert who["Authorization"].rpartition(".")[2] not in log_of(service)


Speech = Callable[[], tuple[int, dict[str, str], Iterable[bytes]]]


class Nonsense:
    """What a provider could answer, and what was asked of it."""

    def __init__(self, issuer: str) -> None:
        self.requests: list[str] = []
        self.answers: dict[str, Speech] = {
            "a redirect": lambda: (302, {"Location": f"{issuer}/elsewhere"}, []),
            "a page": lambda: (200, {"Content-Type": "text/html"}, [b"<html>Sign in</html>"]),
            "no end": lambda: (200, {"Content-Type": "application/json"}, itertools.repeat(b" " * 65536)),
            "silence": lambda: (200, {}, drops()),
            "an error": lambda: (500, {}, [b"{}"]),
            "another issuer": lambda: (200, {}, [json.dumps({"issuer": "https://id.example"}).encode()]),
            "keys at a file": lambda: (200, {}, [json.dumps({"issuer": issuer, "jwks_uri": "file:///etc"}).encode()]),
            "a list": lambda: (200, {}, [b"[]"]),
        }
        self.answer: Speech = self.answers["an error"]

    def is_asked(self, times: int = 1) -> bool:
        """Return whether so many requests have come before long."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and len(self.requests) < times:
            time.sleep(0.02)
        return len(self.requests) >= times

    def is_asked_again(self) -> bool:
        """Return whether another request comes in before long."""
        return self.is_asked(len(self.requests) + 1)


def drops() -> Iterator[bytes]:
    """Yield a space now and then."""
    for _ in range(SECONDS):
        time.sleep(0.5)
        yield b" "


@contextmanager
def misbehaving(port: int, nonsense: Nonsense) -> Generator[None]:
    """Run a provider at `port` that answers with what `nonsense` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonsense.requests.append(self.path)
            status, headers, parts = nonsense.answer()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for part in parts:
                    self.wfile.write(part)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def with_unknown_key(who: Who) -> Who:
    """Return the same token, which names another key."""
    header, rest = who["Authorization"].removeprefix("Bearer ").split(".", 1)
    members = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    renamed = urlsafe_b64encode(json.dumps({**members, "kid": "unknown"}).encode()).decode().rstrip("=")
    return {"Authorization": f"Bearer {renamed}.{rest}"}


class TestUnknownKeys:
    def test_a_provider_that_is_asked_for_them_and_is_slow_holds_nobody_else(
        self, service: Service, new_provider: NewProvider
    ) -> None:
        provider, released = new_provider(), Event()
        slow = Nonsense(provider.issuer)
        slow.answer = lambda: (500, {}, [str(released.wait(SECONDS)).encode()])
        strangers, may_wait = 50, 5  # half of DATABASE_POOL_SIZE
        calm = service.with_settings({**provider.settings, "AUTH_OIDC_KEYS_REFRESH_SECONDS": "300"})
        with calm.serving() as base_url, ThreadPoolExecutor(strangers + 1) as pool:
            with provider.running():
                known = provider.bearer("alice")
                assert {200} == statuses(base_url, known)
            with misbehaving(provider.port, slow):
                unknown = with_unknown_key(known)
                first = pool.submit(statuses, base_url, unknown, 1)
                assert slow.is_asked()
                asked = [pool.submit(statuses, base_url, unknown, 1) for _ in range(strangers)]
                refused = [each.result() for each in islice(as_completed(asked, 9), strangers - may_wait)]
                with httpx2.Client(base_url=base_url, headers=known, timeout=10, trust_env=False) as client:
                    answers = [client.get("/v1/orders") for _ in range(20)]
                released.set()
        assert [{503}] * len(refused) == refused
        assert {200} == {answer.status_code for answer in answers}
        assert {401} == first.result()
        assert {frozenset({401}), frozenset({503})} == {frozenset(each.result()) for each in asked}
        assert 1 == len(slow.requests)


class TestNonsense:
    def test_a_provider_that_misbehaves_opens_nothing_and_breaks_nothing(
        self, service: Service, new_provider: NewProvider
    ) -> None:
        provider = new_provider()
        with provider.running():
            who = provider.bearer("alice")
        nonsense = Nonsense(provider.issuer)
        impatient = service.with_settings({**provider.settings, "AUTH_OIDC_TIMEOUT_SECONDS": "1"})
        with impatient.serving() as base_url:
            with misbehaving(provider.port, nonsense):
                for about, answer in nonsense.answers.items():
                    nonsense.answer = answer
                    assert {503} == statuses(base_url, who), about
                    assert nonsense.is_asked_again(), about
                    assert {503} == statuses(base_url, who), about
                    assert 200 == httpx2.get(f"{base_url}/healthz").status_code
            assert {"/.well-known/openid-configuration"} == set(nonsense.requests)
            with provider.running():
                assert becomes(200, base_url, who)
