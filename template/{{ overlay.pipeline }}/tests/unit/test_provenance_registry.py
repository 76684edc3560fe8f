import json
from base64 import b64encode

import httpx2
import pytest

from provenance import attachments, logins, references
from provenance.logins import Login
from provenance.refused import Refused
from provenance.registry import MANIFEST, Registry, digest_of
from provenance.repositories import located, same

DIGEST = f"sha256:{'1' * 64}"
IMAGE = references.parse(f"registry.example/acme/shop@{DIGEST}")
ROBOT = Login("robot", "secret")
BASIC = f"Basic {b64encode(b'robot:secret').decode()}"
BLOB = b"content"


class Served:
    """A registry in front of another host that has the bytes; both note what they are asked with."""

    def __init__(self, challenge):
        self.challenge = challenge
        self.seen = []
        self.scopes = []

    def __call__(self, request):
        self.seen.append((request.url.host, request.headers.get("Authorization")))
        if request.url.host == "tokens.example":
            signed_in = request.headers.get("Authorization") == BASIC
            self.scopes.append(request.url.params["scope"])
            return httpx2.Response(200, json={"token": "robots" if signed_in else "anybodys"})
        if request.url.host == "storage.example":
            return httpx2.Response(200, content=BLOB)
        if self.challenge and request.headers.get("Authorization") not in {BASIC, "Bearer robots"}:
            return httpx2.Response(401, headers={"WWW-Authenticate": self.challenge})
        return self.answer(request)

    def answer(self, request):
        if "/manifests/" in request.url.path:
            return httpx2.Response(404)
        if request.method == "POST":
            return httpx2.Response(202, headers={"Location": "/v2/acme/shop/blobs/uploads/1?state=begun"})
        if request.method == "PUT":
            return httpx2.Response(201 if request.url.params["state"] == "begun" else 400)
        return httpx2.Response(307, headers={"Location": "https://storage.example/blob"})


BEARER = 'Bearer realm="https://tokens.example/token",service="registry.example",scope="repository:acme/shop:pull"'


def registry(served, login):
    return Registry(IMAGE, login, httpx2.MockTransport(served))


class TestRegistry:
    @pytest.mark.parametrize(
        ("challenge", "sent"), [(BEARER, "Bearer robots"), ('Basic realm="registry"', BASIC), ("", None)]
    )
    def test_signs_in_as_it_is_asked_to(self, challenge, sent):
        served = Served(challenge)
        assert registry(served, ROBOT).blob(digest_of(BLOB)) == BLOB
        assert served.seen[-2:] == [("registry.example", sent), ("storage.example", None)]

    @pytest.mark.parametrize("challenge", [BEARER, 'Basic realm="registry"', "Negotiate"])
    def test_says_that_it_was_refused(self, challenge):
        with pytest.raises(Refused, match="answers 401"):
            registry(Served(challenge), None).blob(DIGEST)

    def test_signs_in_once(self):
        served = Served(BEARER)
        once = registry(served, ROBOT)
        once.blob(digest_of(BLOB))
        once.blob(digest_of(BLOB))
        assert [host for host, _ in served.seen].count("tokens.example") == 1

    def test_asks_for_the_right_to_write_where_it_writes(self):
        served = Served(BEARER)
        registry(served, ROBOT).blob(digest_of(BLOB))
        described = registry(served, ROBOT).upload(BLOB)

        assert served.scopes == ["repository:acme/shop:pull", "repository:acme/shop:pull,push"]
        assert described == {"size": len(BLOB), "digest": digest_of(BLOB)}

    def test_knows_what_it_has_asked_for(self):
        with pytest.raises(Refused, match="has sent something else"):
            registry(Served(""), None).blob(DIGEST)

    def test_has_nothing_of_an_image_that_nobody_has_signed(self):
        assert attachments.attached(registry(Served(""), None), IMAGE) == []

    def test_says_that_nobody_answers(self):
        def away(request):
            raise httpx2.ConnectError("refused", request=request)

        with pytest.raises(Refused, match="does not answer"):
            registry(away, None).manifest("main")

    def test_says_that_something_is_no_image(self):
        answer = httpx2.Response(200, headers={"Content-Type": MANIFEST}, content=b"<html>")
        with pytest.raises(Refused, match="something else than an image"):
            registry(lambda _: answer, None).manifest("main")


class TestReferences:
    @pytest.mark.parametrize(
        ("name", "host", "repository", "api"),
        [
            ("registry.example/acme/shop", "registry.example", "acme/shop", "https://registry.example"),
            ("registry.example:5000/shop", "registry.example:5000", "shop", "https://registry.example:5000"),
            ("localhost/shop", "localhost", "shop", "http://localhost"),
            ("127.0.0.1:5000/acme/shop", "127.0.0.1:5000", "acme/shop", "http://127.0.0.1:5000"),
            ("acme/shop", "docker.io", "acme/shop", "https://registry-1.docker.io"),
            ("shop", "docker.io", "library/shop", "https://registry-1.docker.io"),
        ],
    )
    def test_are_read_as_engines_read_them(self, name, host, repository, api):
        image = references.parse(f"{name}@{DIGEST}")
        assert (image.host, image.repository, image.digest, image.api) == (host, repository, DIGEST, api)

    @pytest.mark.parametrize("text", ["acme/shop", "acme/shop:1", "acme/shop@sha256:1", f"acme/shop:1@{DIGEST}", ""])
    def test_have_a_digest(self, text):
        with pytest.raises(Refused, match="by its digest"):
            references.parse(text)


class TestLogins:
    def given(self, host, **environ):
        return logins.given({"HOME": "/nonexistent", **environ}, host, "REGISTRY_USER", "REGISTRY_PASSWORD")

    def test_come_from_two_variables(self):
        assert self.given("registry.example", REGISTRY_USER="robot", REGISTRY_PASSWORD="secret") == ROBOT

    def test_come_from_where_docker_keeps_them(self, tmp_path):
        entry = {"auth": b64encode(b"robot:secret").decode()}
        kept = {"registry.example": entry, "https://index.docker.io/v1/": entry, "helped.example": {}}
        (tmp_path / "config.json").write_text(json.dumps({"auths": kept, "credsStore": "not-there"}), "utf-8")

        assert self.given("registry.example", DOCKER_CONFIG=str(tmp_path)) == ROBOT
        assert self.given("docker.io", DOCKER_CONFIG=str(tmp_path)) == ROBOT
        assert self.given("helped.example", DOCKER_CONFIG=str(tmp_path)) is None

    def test_come_from_a_helper_of_dockers(self, tmp_path, monkeypatch):
        helper = tmp_path / "docker-credential-test"
        helper.write_text(
            '#!/bin/sh\n[ "$(cat)" = helped.example ] && echo \'{"Username": "robot", "Secret": "secret"}\'\n'
        )
        helper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        (tmp_path / "config.json").write_text('{"credHelpers": {"helped.example": "test"}}', "utf-8")

        assert self.given("helped.example", DOCKER_CONFIG=str(tmp_path)) == ROBOT

    def test_may_be_missing(self):
        assert self.given("registry.example") is None


class TestRepositories:
    @pytest.mark.parametrize(
        ("url", "place"),
        [
            ("https://git.example/acme/shop", "git.example/acme/shop"),
            ("https://user:token@git.example/acme/shop.git", "git.example/acme/shop"),
            ("git@git.example:acme/shop.git", "git.example/acme/shop"),
            ("ssh://git@git.example:2222/acme/shop.git/", "git.example/acme/shop"),
            ("git@ssh.dev.azure.com:v3/acme/web/shop", "dev.azure.com/acme/web/_git/shop"),
            ("https://acme@dev.azure.com/acme/web/_git/shop", "dev.azure.com/acme/web/_git/shop"),
            ("/srv/git/shop.git", "srv/git/shop"),
        ],
    )
    def test_are_the_same_however_git_reaches_them(self, url, place):
        assert located(url) == place
        assert same(url, f"https://{place.upper()}")
