"""A service with endpoints for known callers, readers and admins, to try tokens on."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec

from app.auth.policy import requires
from app.core import context
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.schemas.health import Health
from tests.client import open_client
from tests.provider import LoopbackProvider, running_provider
from tests.requests import assert_failed
from tests.tokens import ec_key, ed_key, jwk, rsa_key

PATH = "/v1/planted"


@requires()
def for_known_callers() -> Health:
    """Answer a caller that is known."""
    current = context.current()
    assert current is not None
    current.headers.append(("X-Subject", str(current.principal)))
    return Health(status="ok")


@requires("things:read")
def for_readers() -> Health:
    """Answer a caller with a scope."""
    return Health(status="ok")


@requires(role="admin")
def for_admins() -> Health:
    """Answer a caller with a role."""
    return Health(status="ok")


PLANTED = (
    ("GET", PATH, for_known_callers),
    ("GET", f"{PATH}/readers", for_readers),
    ("GET", f"{PATH}/admins", for_admins),
)


@contextmanager
def provider_with_many_keys() -> Generator[LoopbackProvider]:
    """Yield a provider with keys of all kinds, those that must not be used among them."""
    with running_provider() as provider:
        provider.keys += [
            jwk(ec_key("curve"), "curve"),
            jwk(ed_key("edwards"), "edwards"),
            jwk(rsa_key("small", 1024), "small"),
            jwk(rsa_key("encrypts"), "encrypts", use="enc"),
            jwk(rsa_key("pss"), "pss", alg="PS256"),
            jwk(ec_key("other", ec.SECP384R1), "other"),
        ]
        yield provider


@contextmanager
def guarded_service(settings: Settings, provider: LoopbackProvider) -> Generator[httpx2.Client]:
    """Yield a client of a service that believes `provider`."""
    changes = {"auth_oidc_issuer": provider.issuer, "auth_oidc_leeway_seconds": 5}
    with (
        patch.dict(SCOPES, {"things:read": "See things."}),
        open_client(settings.model_copy(update=changes), PLANTED) as client,
    ):
        yield client


def call(client: httpx2.Client, token: str, path: str = PATH) -> httpx2.Response:
    """Return the answer to a caller with `token`."""
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


def refusal(response: httpx2.Response) -> dict[str, str]:
    """Check that `response` is a 401, and return what must be the same in all of them."""
    assert_failed(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["cache-control"] == "no-store"
    return {name: value for name, value in response.json().items() if name != "trace_id"}
