"""The key that signs: its public half is a file of this repository, its private one a secret of the pipeline."""

from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.exceptions import KeyMismatchError
from securesystemslib.signer import CryptoSigner, SSlibKey

from provenance.refused import Refused

PUBLIC = Path(".ci/signing.pub")


def make(public: Path, *, replace: bool) -> str:
    """Write the public half of a new key (ECDSA, P-256), and return the private one as a line of base64.

    Raises:
        Refused: there is a key, and nobody said that it is to be replaced.
    """
    if public.exists() and not replace:
        raise Refused(f"{public} holds a key already; `uv run just signing-key --replace` puts a new one in its place.")
    signer = CryptoSigner.generate_ecdsa()
    public.parent.mkdir(exist_ok=True)
    public.write_text(f"{signer.public_key.keyval['public'].strip()}\n", "utf-8")
    return b64encode(signer.private_bytes).decode()


def trusted(public: Path) -> SSlibKey:
    """Return the key that images have to be signed with.

    Raises:
        Refused: there is none.
    """
    try:
        key = load_pem_public_key(public.read_bytes())
    except FileNotFoundError:
        raise Refused(f"There is no {public}: `uv run just signing-key` makes it.") from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise Refused(f"{public} holds no public key as `uv run just signing-key` makes it.")
    return SSlibKey.from_crypto(key)


def signer(encoded: str, public: SSlibKey) -> CryptoSigner:
    """Return what signs with the private half, given as a line of base64.

    Raises:
        Refused: there is none, or it belongs to another public one.
    """
    if not encoded:
        raise Refused("SIGNING_KEY is not set: without it, the image cannot be signed (docs/pipeline.md).")
    try:
        private = load_pem_private_key(b64decode(encoded, validate=True), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, EllipticCurvePrivateKey):
        raise Refused("SIGNING_KEY is not what `uv run just signing-key` has printed.")
    try:
        return CryptoSigner(private, public)
    except KeyMismatchError:
        raise Refused(f"SIGNING_KEY is not the private half of {PUBLIC}.") from None
