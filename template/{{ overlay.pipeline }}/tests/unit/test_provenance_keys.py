from base64 import b64encode
from pathlib import Path

import pytest
from click.testing import CliRunner
from securesystemslib.signer import CryptoSigner

from provenance import keys
from provenance.__main__ import main
from provenance.refused import Refused

IMAGE = f"registry.example/acme/shop@sha256:{'1' * 64}"


@pytest.fixture
def public(tmp_path, monkeypatch):
    """Return where the public half of the key goes, in a folder that is the working directory and no clone."""
    monkeypatch.chdir(tmp_path)
    return keys.PUBLIC


def run(*arguments, **environ):
    done = CliRunner(env=environ).invoke(main, arguments)
    return done.exit_code, done.stdout, done.stderr


class TestNewKey:
    def test_is_written_in_part_and_printed_in_part(self, public):
        code, private, said = run("new-key")
        assert code == 0
        assert public.read_text("utf-8").startswith("-----BEGIN PUBLIC KEY-----\n")
        assert "registry" in said or "signing-key" in said
        assert keys.signer(private.strip(), keys.trusted(public)).public_key == keys.trusted(public)

    def test_replaces_another_only_if_it_is_told_to(self, public):
        keys.make(public, replace=False)
        before = public.read_text("utf-8")
        code, private, said = run("new-key")

        assert (code, private) == (1, "")
        assert "--replace" in said
        assert public.read_text("utf-8") == before
        assert run("new-key", "--replace")[0] == 0
        assert public.read_text("utf-8") != before


class TestSigner:
    @pytest.mark.parametrize(
        ("private", "problem"),
        [
            ("", "SIGNING_KEY is not set"),
            ("$(SIGNING_KEY)", "is not what `uv run just signing-key` has printed"),
            (b64encode(b"text").decode(), "is not what `uv run just signing-key` has printed"),
            (b64encode(CryptoSigner.generate_ed25519().private_bytes).decode(), "is not what"),
            (b64encode(CryptoSigner.generate_ecdsa().private_bytes).decode(), "is not the private half of"),
        ],
        ids=["unset", "no base64", "no key", "of another kind", "of another key"],
    )
    def test_has_the_private_half_of_the_key(self, public, private, problem):
        keys.make(public, replace=False)
        with pytest.raises(Refused, match=problem):
            keys.signer(private, keys.trusted(public))


class TestTrusted:
    def test_is_missing_before_it_is_made(self, public):
        with pytest.raises(Refused, match="just signing-key"):
            keys.trusted(public)

    @pytest.mark.parametrize(
        "text",
        ["", "text", CryptoSigner.generate_ed25519().public_key.keyval["public"]],
        ids=["empty", "text", "other"],
    )
    def test_is_a_public_key(self, tmp_path, text):
        (tmp_path / "key").write_text(text, "utf-8")
        with pytest.raises(Refused, match="holds no public key"):
            keys.trusted(tmp_path / "key")


class TestReady:
    def test_says_what_signing_lacks(self, public):
        assert "There is no .ci/signing.pub" in run("ready", "sbom.json")[2]
        private = keys.make(public, replace=False)
        assert "SIGNING_KEY is not set" in run("ready", "sbom.json", SIGNING_KEY="")[2]
        code, _, said = run("ready", "sbom.json", SIGNING_KEY=private)
        assert code == 1
        assert said.startswith(("Error: Only the pipeline signs", "Error: There is no sbom.json"))


def verified(image, **environ):
    return run("verify", "--branch", "main", image, **environ)


class TestVerify:
    def test_says_what_is_wrong_in_one_sentence(self, public):
        assert verified("shop:1")[2].startswith("Error: shop:1 has to be an image by its digest")
        assert verified(IMAGE)[2].startswith("Error: There is no .ci/signing.pub")
        keys.make(public, replace=False)
        code, _, said = verified("127.0.0.1:1/shop@" + IMAGE.partition("@")[2], HOME=str(Path.cwd()))
        assert code == 1
        assert said.startswith("Error: The registry 127.0.0.1:1 does not answer")
