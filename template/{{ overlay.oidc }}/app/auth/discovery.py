"""What an OpenID Connect provider publishes: where its keys are, and the keys (OpenID Connect Discovery 1.0, 4)."""

import asyncio
import ssl
from collections.abc import Collection
from functools import cache
from typing import Final

import httpx2

from app.auth.signing_keys import KeySet
from app.auth.strict_json import read_object

MAX_BYTES: Final = 1024 * 1024
WELL_KNOWN: Final = "/.well-known/openid-configuration"


class ProviderError(Exception):
    """The provider does not say what it should; the message is a sentence for whoever runs the service."""


def fetch_keys(issuer: str, allowed: Collection[str], seconds: float, discovery_url: str | None = None) -> KeySet:
    """Return the keys that `issuer` publishes at this moment. Blocks, for at most about `seconds`.

    `discovery_url` is where its discovery document is, if not at the address that follows from the issuer.

    Raises:
        ProviderError: they cannot be had.
    """
    return asyncio.run(_fetch(issuer, allowed, seconds, discovery_url or f"{issuer.rstrip('/')}{WELL_KNOWN}"))


def problem_with_issuer(issuer: str) -> str | None:
    """Return what is wrong with `issuer`, None if it can be one (OpenID Connect Discovery 1.0, 3)."""
    if problem := problem_with_url(issuer):
        return problem
    return "is not a URL without a query" if "?" in issuer else None


def problem_with_url(value: str) -> str | None:
    """Return what is wrong with `value`, None if it is a URL that can be fetched."""
    try:
        url = httpx2.URL(value)
    except (httpx2.InvalidURL, ValueError):
        return "is not a URL"
    if url.scheme not in {"https", "http"} or not url.host or url.userinfo:
        return "is not a URL like https://id.example.com"
    if "#" in value or any(character.isspace() for character in value):
        return "is not a URL without a fragment and spaces"
    return None


async def _fetch(issuer: str, allowed: Collection[str], seconds: float, source: str) -> KeySet:
    is_tls = httpx2.URL(source).scheme == "https"
    # The environment can name a proxy to the internet; what is reached without TLS is nearer than that.
    client = httpx2.AsyncClient(verify=_trust(), timeout=seconds, follow_redirects=False, trust_env=is_tls)
    try:
        # A limit for the whole: the client's own starts again with each part that arrives.
        async with asyncio.timeout(seconds), client:
            document = await _get(client, source)
            if document.get("issuer") != issuer:
                raise ProviderError(f"{issuer} calls itself by another name: AUTH_OIDC_ISSUER must be exactly that")
            url = _keys_url(document.get("jwks_uri"), httpx2.URL(source))
            return _keys(url, await _get(client, url), allowed)
    except TimeoutError:
        raise ProviderError(f"{source} does not answer within {seconds:g} seconds") from None


@cache
def _trust() -> ssl.SSLContext:
    """Return the certificates that are trusted; to load them takes longer than to fetch keys."""
    return httpx2.create_ssl_context()


def _keys_url(value: object, source: httpx2.URL) -> str:
    try:
        url = httpx2.URL(value if isinstance(value, str) else "")
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    is_tls = url.scheme == "https"
    is_beside_it = url.scheme == source.scheme == "http" and url.host == source.host
    if not url.host or url.userinfo or not (is_tls or is_beside_it):
        raise ProviderError(f"{source} names no jwks_uri that can be trusted: it must be https")
    return str(url)


def _keys(url: str, document: dict[str, object], allowed: Collection[str]) -> KeySet:
    try:
        return KeySet.read(document, allowed)
    except ValueError as error:
        raise ProviderError(f"{url} does not answer with keys: {error}") from None


async def _get(client: httpx2.AsyncClient, url: str) -> dict[str, object]:
    """Return the JSON object at `url`, and nothing that it redirects to: that could be inside our own network."""
    # Nothing compressed: a megabyte must not become a gigabyte.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    body = bytearray()
    try:
        async with client.stream("GET", url, headers=headers) as response:
            if response.status_code != httpx2.codes.OK:
                raise ProviderError(f"{url} answers {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_BYTES:
                    raise ProviderError(f"{url} answers with more than {MAX_BYTES} bytes")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ProviderError(f"{url} cannot be reached: {type(error).__name__}") from None
    try:
        return read_object(bytes(body))
    except ValueError as error:
        raise ProviderError(f"{url} does not answer with JSON: {error}") from None
