"""A registry of images: the part of its API that statements need (https://github.com/opencontainers/distribution-spec)."""

import hashlib
import json
import re
from collections.abc import Generator, Mapping
from http import HTTPStatus
from typing import Any

import httpx2
from pydantic import BaseModel, Field, ValidationError

from provenance.logins import Login
from provenance.references import Reference
from provenance.refused import Refused

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MANIFESTS = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
BYTES = "application/octet-stream"
SECONDS = 30


class Descriptor(BaseModel):
    """What a manifest says of some bytes."""

    media_type: str = Field(alias="mediaType")
    digest: str


class Manifest(BaseModel):
    """The manifest of an image, as it is read."""

    config: Descriptor
    layers: list[Descriptor]


def digest_of(content: bytes) -> str:
    """Return what a registry calls some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class SignIn(httpx2.Auth):
    """Signs in when the registry asks for it: with the login itself, or with a token that it gets for the login."""

    requires_response_body = True

    def __init__(self, login: Login | None) -> None:
        self._basic = httpx2.BasicAuth(*login) if login else None
        self._token = ""

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send a request, and once more with what the registry asks for."""
        if self._token:
            request.headers["Authorization"] = self._token
        response = yield request
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return
        scheme, _, rest = response.headers.get("WWW-Authenticate", "").partition(" ")
        if scheme.lower() == "bearer":
            answer = yield from self._signed_in(self._asking_for_a_token(rest, request.method))
            if answer.status_code == HTTPStatus.OK:
                body = answer.json()
                self._token = f"Bearer {body.get('token') or body['access_token']}"
                request.headers["Authorization"] = self._token
                yield request
        elif self._basic:
            yield from self._signed_in(request)
            self._token = request.headers["Authorization"]

    def _asking_for_a_token(self, challenge: str, method: str) -> httpx2.Request:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        # Some registries name the right to read, whatever was refused.
        if method != "GET" and asked.get("scope", "").endswith(":pull"):
            asked["scope"] += ",push"
        params = {name: asked[name] for name in ("service", "scope") if name in asked}
        return httpx2.Request("GET", asked.get("realm", ""), params=params)

    def _signed_in(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, httpx2.Response]:
        if self._basic:
            request = next(self._basic.auth_flow(request))
        return (yield request)


class Registry:
    """What the registry of an image has under the image's name."""

    def __init__(self, image: Reference, login: Login | None, transport: httpx2.BaseTransport | None = None) -> None:
        self._host = image.host
        self._client = httpx2.Client(
            base_url=f"{image.api}/v2/{image.repository}/",
            auth=SignIn(login),
            follow_redirects=True,
            timeout=SECONDS,
            transport=transport,
        )

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def manifest(self, reference: str) -> Manifest | None:
        """Return a manifest by its tag or digest; nothing if there is none."""
        answer = self._ask("GET", f"manifests/{reference}", headers={"Accept": MANIFESTS}, missing=True)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        try:
            return Manifest.model_validate_json(answer.content)
        except ValidationError:
            raise Refused(f"The registry {self._host} has something else than an image at {reference}.") from None

    def blob(self, digest: str) -> bytes:
        """Return some bytes by their digest."""
        content = self._ask("GET", f"blobs/{digest}").content
        if digest_of(content) != digest:
            raise Refused(f"{self._host} has sent something else than {digest}.")
        return content

    def upload(self, content: bytes) -> dict[str, object]:
        """Keep some bytes, and return what a manifest says of them."""
        digest = digest_of(content)
        started = self._ask("POST", "blobs/uploads/")
        place = started.url.join(started.headers["Location"]).copy_merge_params({"digest": digest})
        self._ask("PUT", str(place), content=content, headers={"Content-Type": BYTES})
        return {"size": len(content), "digest": digest}

    def tag(self, manifest: Mapping[str, object], tag: str) -> None:
        """Keep a manifest under a tag, in the place of what has it now."""
        headers = {"Content-Type": MANIFEST}
        self._ask("PUT", f"manifests/{tag}", content=json.dumps(manifest).encode(), headers=headers)

    def _ask(self, method: str, path: str, *, missing: bool = False, **more: Any) -> httpx2.Response:  # noqa: ANN401
        """Return the answer to a request, with a status that is good; 404 too, if something may be missing.

        Raises:
            Refused: the registry does not answer, or does not let us.
        """
        try:
            answer = self._client.request(method, path, **more)
        except (httpx2.HTTPError, KeyError, ValueError) as error:
            raise Refused(f"The registry {self._host} does not answer as registries do: {error}.") from error
        if answer.is_success or (missing and answer.status_code == HTTPStatus.NOT_FOUND):
            return answer
        raise Refused(f"The registry {self._host} answers {answer.status_code} to {method} {path}.")
