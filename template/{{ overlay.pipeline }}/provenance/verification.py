"""What has to be said of an image before it is released."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError
from securesystemslib.signer import SSlibKey

from provenance.envelopes import Unverified, unseal
from provenance.refused import Refused
from provenance.repositories import same
from provenance.statements import PROVENANCE, SBOM, Provenance, Statement

NEEDED = {PROVENANCE: "provenance", SBOM: "bill of materials"}


@dataclass(frozen=True)
class Expected:
    """What the statements have to be about: an image, and the branch (refs/heads/…) that it was built from."""

    digest: str
    repository: str
    ref: str


def verify(envelopes: Iterable[bytes], expected: Expected, key: SSlibKey) -> None:
    """Look for each statement that is needed; those that others have made of the image do no harm.

    Raises:
        Refused: one is missing, or nothing that claims to be it verifies.
    """
    found, problems = set(), []
    for content in envelopes:
        try:
            found.add(kind_of(content, expected, key))
        except Unverified as problem:
            problems.append(str(problem))
    if missing := [name for kind, name in NEEDED.items() if kind not in found]:
        reason = f" ({'; '.join(problems)})" if problems else ""
        raise Refused(f"{expected.digest} must not be released: no verified {' and no '.join(missing)}{reason}.")


def kind_of(content: bytes, expected: Expected, key: SSlibKey) -> str:
    """Return the type of what a signed statement says of an image.

    Raises:
        Unverified: it is not signed with the key, or about something else.
    """
    try:
        statement = Statement.model_validate_json(unseal(content, key))
        if not statement.is_about(expected.digest):
            raise Unverified("a statement is about another image")
        if statement.kind == PROVENANCE:
            check(Provenance.model_validate(statement.predicate), expected)
    except ValidationError:
        raise Unverified("a statement is not as in-toto and SLSA write it") from None
    return statement.kind


def check(provenance: Provenance, expected: Expected) -> None:
    """Look where an image comes from.

    Raises:
        Unverified: not from this repository, or not from that branch.
    """
    source = provenance.definition.source
    if not same(source.repository, expected.repository):
        raise Unverified(f"the image was built from {source.repository}, and not from {expected.repository}")
    if source.ref != expected.ref:
        raise Unverified(f"the image was built from {source.ref}, and not from {expected.ref}")
