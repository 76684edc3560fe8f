"""Sign what a pipeline publishes, and verify it before it is released: docs/pipeline.md."""

import os
from contextlib import closing
from pathlib import Path

import click

from provenance import attachments, build, keys, logins, statements
from provenance.envelopes import seal
from provenance.references import parse
from provenance.refused import Refused
from provenance.registry import Registry
from provenance.repositories import origin
from provenance.verification import Expected, verify


@click.group()
def main() -> None:
    """Sign what a pipeline publishes, and verify it."""


@main.command()
@click.option("--replace", is_flag=True, help="Put it in the place of the one that is there.")
def new_key(*, replace: bool) -> None:
    """Make a key: write the public half, and print the private one."""
    private = keys.make(keys.PUBLIC, replace=replace)
    click.echo(f"Commit {keys.PUBLIC}. The next line is {build.SECRET}; keep it nowhere else.", err=True)
    click.echo(private)


@main.command()
@click.argument("bill", type=click.Path(path_type=Path))
def ready(bill: Path) -> None:
    """Fail unless there is all that signing needs."""
    signer_and_build()
    statements.bill(bill)


@main.command()
@click.argument("image")
@click.argument("bill", type=click.Path(path_type=Path))
def sign(image: str, bill: Path) -> None:
    """Sign where IMAGE (NAME@DIGEST) comes from and what is in it, and keep that beside it in the registry."""
    reference = parse(image)
    signer, current = signer_and_build()
    components, described = statements.bill(bill)
    login = logins.given(os.environ, reference.host, "REGISTRY_USER", "REGISTRY_PASSWORD")
    said = {statements.PROVENANCE: statements.provenance(current), statements.SBOM: components}
    sealed = {kind: seal(statements.statement(reference, kind, what), signer) for kind, what in said.items()}
    with closing(Registry(reference, login)) as registry:
        published = registry.manifest(reference.digest)
        if not published or published.config.digest != described:
            raise Refused(f"{bill} is the bill of materials of another image than {image}.")
        attachments.attach(registry, reference, sealed)


@main.command("verify")
@click.option("--branch", required=True, help="The branch of this repository that it has to come from.")
@click.argument("image")
def verify_image(image: str, branch: str) -> None:
    """Fail unless IMAGE (NAME@DIGEST) is signed, from a branch of this repository, and has its bill of materials."""
    reference = parse(image)
    key = keys.trusted(keys.PUBLIC)
    login = logins.given(os.environ, reference.host, "REGISTRY_READER", "REGISTRY_READER_PASSWORD")
    with closing(Registry(reference, login)) as registry:
        sealed = attachments.attached(registry, reference)
    verify(sealed, Expected(reference.digest, this_repository(), f"refs/heads/{branch}"), key)
    click.echo(f"{image} is signed, and from {branch} of this repository.", err=True)


def signer_and_build() -> tuple[keys.CryptoSigner, statements.Build]:
    """Return what signs, and what the pipeline says of its run.

    Raises:
        Refused: there is no key, or no pipeline.
    """
    signer = keys.signer(os.environ.get("SIGNING_KEY", ""), keys.trusted(keys.PUBLIC))
    try:
        return signer, build.read(os.environ)
    except KeyError as missing:
        raise Refused(f"Only the pipeline signs, and there {missing.args[0]} is set.") from None


def this_repository() -> str:
    """Return which repository this is: what the pipeline says, else where the clone comes from.

    Raises:
        Refused: neither is known.
    """
    try:
        return build.read(os.environ).repository
    except KeyError:
        if not (source := origin()):
            raise Refused("This is no clone, so nothing tells which repository images have to come from.") from None
        return source


if __name__ == "__main__":
    main(prog_name="python -m provenance")
