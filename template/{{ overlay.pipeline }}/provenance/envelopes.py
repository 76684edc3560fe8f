"""Signed statements: envelopes of DSSE (https://github.com/secure-systems-lab/dsse)."""

import json

from pydantic import BaseModel
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD = "application/vnd.in-toto+json"


class Unverified(Exception):
    """An envelope, or what it holds, is not what it has to be; the message says what is wrong."""


class Signed(BaseModel):
    keyid: str = ""
    sig: str


class Sealed(BaseModel):
    """An envelope as it is sent."""

    payload: str
    payloadType: str  # noqa: N815 - as it is sent
    signatures: list[Signed]


def seal(payload: bytes, signer: CryptoSigner) -> bytes:
    """Return an envelope with a payload and its signature."""
    envelope = Envelope(payload, PAYLOAD, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict()).encode()


def unseal(content: bytes, key: SSlibKey) -> bytes:
    """Return what an envelope holds.

    Raises:
        Unverified: it is not signed with the key.
    """
    try:
        envelope = Envelope.from_dict(Sealed.model_validate_json(content).model_dump())
    except ValueError:
        raise Unverified("something is no envelope of DSSE") from None
    if envelope.payload_type != PAYLOAD:
        raise Unverified("an envelope holds something else than a statement of in-toto")
    try:
        envelope.verify([key], 1)
    except VerificationError:
        raise Unverified("an envelope has no valid signature") from None
    return envelope.payload
