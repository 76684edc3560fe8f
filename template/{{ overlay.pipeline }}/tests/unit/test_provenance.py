import json
from base64 import b64decode, b64encode

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from provenance import statements
from provenance.envelopes import PAYLOAD, seal
from provenance.references import Reference
from provenance.refused import Refused
from provenance.statements import PROVENANCE, SBOM, Build
from provenance.verification import Expected, verify

OURS = CryptoSigner.generate_ecdsa()
IMAGE = Reference("registry.example", "acme/shop", f"sha256:{'1' * 64}")
OTHER = Reference("registry.example", "acme/shop", f"sha256:{'2' * 64}")
REPOSITORY = "https://git.example/acme/shop"
MAIN = "refs/heads/main"
BILL = {"bomFormat": "CycloneDX", "components": [{"name": "sqlalchemy", "version": "2.1.0"}]}


def build(repository=REPOSITORY, ref=MAIN):
    return Build(repository, "c0ffee", ref, "https://git.example", "https://git.example/runs/1")


def sealed(kind, predicate, image=IMAGE, signer=OURS):
    return seal(statements.statement(image, kind, predicate), signer)


def origin(**more):
    return sealed(PROVENANCE, statements.provenance(build(**more)))


def bill(**more):
    return sealed(SBOM, BILL, **more)


def changed(content, old, new):
    """Return an envelope whose payload was changed after it was signed."""
    envelope = json.loads(content)
    payload = b64decode(envelope["payload"])
    assert old in payload
    return json.dumps({**envelope, "payload": b64encode(payload.replace(old, new)).decode()}).encode()


def unsigned(content):
    return json.dumps({**json.loads(content), "signatures": []}).encode()


def of_type(kind, payload):
    envelope = Envelope(payload, kind, {})
    envelope.sign(OURS)
    return json.dumps(envelope.to_dict()).encode()


def refused(*envelopes):
    with pytest.raises(Refused) as refusal:
        verify(envelopes, Expected(IMAGE.digest, REPOSITORY, MAIN), OURS.public_key)
    return str(refusal.value)


class TestVerify:
    def test_takes_what_is_signed_and_about_the_image(self):
        verify([origin(), bill()], Expected(IMAGE.digest, "git@git.example:Acme/shop.git", MAIN), OURS.public_key)

    def test_does_not_mind_what_others_say(self):
        others = sealed("https://cosign.sigstore.dev/attestation/vuln/v1", {}, signer=CryptoSigner.generate_ecdsa())
        verify([others, b"{}", origin(), bill()], Expected(IMAGE.digest, REPOSITORY, MAIN), OURS.public_key)

    @pytest.mark.parametrize(
        ("envelopes", "missing"),
        [
            ([], "no verified provenance and no bill of materials"),
            ([bill()], "no verified provenance."),
            ([origin()], "no verified bill of materials."),
        ],
    )
    def test_refuses_an_image_of_which_something_is_not_said(self, envelopes, missing):
        assert missing in refused(*envelopes)

    @pytest.mark.parametrize(
        "fault",
        [
            changed(origin(), b"c0ffee", b"decade"),
            sealed(PROVENANCE, statements.provenance(build()), signer=CryptoSigner.generate_ecdsa()),
            unsigned(origin()),
        ],
        ids=["changed", "of another key", "not signed"],
    )
    def test_refuses_a_provenance_without_a_valid_signature(self, fault):
        assert "no verified provenance (an envelope has no valid signature)" in refused(fault, bill())

    @pytest.mark.parametrize(
        "fault",
        [changed(bill(), b"2.1.0", b"2.1.1"), bill(signer=CryptoSigner.generate_ecdsa()), unsigned(bill())],
        ids=["changed", "of another key", "not signed"],
    )
    def test_refuses_a_bill_of_materials_without_a_valid_signature(self, fault):
        assert "no verified bill of materials (an envelope has no valid signature)" in refused(origin(), fault)

    def test_refuses_what_is_about_another_image(self):
        other = sealed(PROVENANCE, statements.provenance(build()), image=OTHER)
        assert "a statement is about another image" in refused(other, bill())
        assert "a statement is about another image" in refused(origin(), bill(image=OTHER))

    def test_refuses_what_comes_from_elsewhere(self):
        assert "built from https://git.example/acme/blog" in refused(
            origin(repository="https://git.example/acme/blog"), bill()
        )
        assert "built from refs/heads/trial" in refused(origin(ref="refs/heads/trial"), bill())

    @pytest.mark.parametrize(
        ("envelope", "problem"),
        [
            (of_type("text/plain", b"{}"), "something else than a statement"),
            (of_type(PAYLOAD, b"[]"), "not as in-toto and SLSA write it"),
            (sealed(PROVENANCE, {"buildDefinition": {}}), "not as in-toto and SLSA write it"),
            (b"<html>", "no envelope"),
            (b'{"payload": "!", "payloadType": "", "signatures": []}', "no envelope"),
        ],
        ids=["another type", "no statement", "no provenance", "no JSON", "no base64"],
    )
    def test_refuses_what_is_not_as_it_should_be(self, envelope, problem):
        assert problem in refused(envelope, bill())


class TestBill:
    def test_tells_which_image_it_is_of(self, tmp_path):
        noted = [{"name": "aquasecurity:trivy:ImageID", "value": IMAGE.digest}]
        text = json.dumps({**BILL, "metadata": {"component": {"properties": noted}}})
        (tmp_path / "sbom.json").write_text(text, "utf-8")

        assert (json.loads(text), IMAGE.digest) == statements.bill(tmp_path / "sbom.json")

    @pytest.mark.parametrize("text", ["", "{}", '{"bomFormat": "SPDX", "metadata": {"component": {}}}'])
    def test_has_to_be_one(self, tmp_path, text):
        path = tmp_path / "sbom.json"
        path.write_text(text, "utf-8")
        with pytest.raises(Refused, match="is no bill of materials"):
            statements.bill(path)

    def test_has_to_be_there(self, tmp_path):
        with pytest.raises(Refused, match="just image-sbom"):
            statements.bill(tmp_path / "sbom.json")
