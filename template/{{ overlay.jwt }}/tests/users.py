"""Users who sign in over HTTP."""

from typing import Any

import httpx2

from tests.callers import PASSWORD
from tests.requests import Caller

EMAIL = "ada@example.com"
NEW_PASSWORD = "another good passphrase"


def register(client: httpx2.Client, email: str = EMAIL, password: str = PASSWORD) -> dict[str, Any]:
    """Return the new user."""
    response = client.post("/v1/users", json={"email": email, "password": password})
    assert response.status_code == 201, response.text
    user: dict[str, Any] = response.json()
    return user


def sign_in(client: httpx2.Client, email: str = EMAIL, password: str = PASSWORD, **more: str) -> httpx2.Response:
    """Return the answer to the form."""
    return client.post("/v1/auth/token", data={"username": email, "password": password, **more})


def tokens_of(client: httpx2.Client, email: str = EMAIL, password: str = PASSWORD, **more: str) -> dict[str, Any]:
    """Return the tokens of a new session."""
    response = sign_in(client, email, password, **more)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def refresh(client: httpx2.Client, tokens: dict[str, Any]) -> httpx2.Response:
    """Return the answer to the refresh token among `tokens`."""
    return client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})


def bearer(client: httpx2.Client, tokens: dict[str, Any]) -> Caller:
    """Return the caller with the access token among `tokens`."""
    return Caller(client, {"Authorization": f"Bearer {tokens['access_token']}"})


def set_password(client: httpx2.Client, token: str, password: str = NEW_PASSWORD) -> httpx2.Response:
    """Return the answer to a new password with a `token` for it."""
    return client.post("/v1/auth/password", json={"token": token, "password": password})
