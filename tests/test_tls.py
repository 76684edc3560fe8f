"""Production talks to a database on another machine over TLS only, and only once that has proved who it is."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import trustme

from tests.conftest import Install, NewDatabase
from tests.rendering import choices
from tests.servers import Running, create_database, start_mysql, start_postgresql, started

# This machine, under names that say nothing of it.
OTHER_MACHINE, NOT_IN_ITS_CERTIFICATE = "127.1", "127.0.1"
DATABASES = [database for database in choices("database") if database != "sqlite"]
AUTHORITY = {"postgresql": "sslrootcert", "mysql": "ssl_ca"}
WEAK = {
    "postgresql": ["sslmode=require", "sslmode=prefer", "sslmode=disable", "sslmode=verify-ca", "sslmode=x"],
    "mysql": ["ssl_disabled=true", "ssl_check_hostname=false", "ssl_verify_cert=false", "ssl_verify_identity=false"],
}
# What leads elsewhere than to the host that stands before it.
DETOURS = {
    "postgresql": ["host=db.example.com", "hostaddr=10.0.0.1", "service=elsewhere"],
    "mysql": ["host=db.example.com", "read_default_file=/elsewhere.cnf"],
}


@dataclass(frozen=True)
class Authority:
    """Who signs certificates in this test run: what is trusted, and a certificate of OTHER_MACHINE with its key."""

    root: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    # Database servers run as users of their own.
    home = Path(tempfile.mkdtemp(prefix="slipway-certificates-"))
    home.chmod(0o755)
    own = trustme.CA()
    made = own.issue_cert(OTHER_MACHINE)
    files = Authority(home / "root.pem", home / "server.pem", home / "server.key")
    own.cert_pem.write_to_path(files.root)
    made.cert_chain_pems[0].write_to_path(files.certificate)
    made.private_key_pem.write_to_path(files.key)
    for file in (files.root, files.certificate):
        file.chmod(0o644)
    yield files
    shutil.rmtree(home)


def tls_server(database: str, authority: Authority) -> Running:
    """Return a server that speaks TLS with the certificate."""
    owner = {"postgresql": "postgres", "mysql": "mysql"}[database]
    if os.geteuid() == 0:
        shutil.chown(authority.key, owner, owner)
    authority.key.chmod(0o600)
    if database == "postgresql":
        files = {"ssl": "on", "ssl_cert_file": authority.certificate, "ssl_key_file": authority.key}
        return start_postgresql(*(part for name, value in files.items() for part in ("-c", f"{name}={value}")))
    return start_mysql(f"--ssl-cert={authority.certificate}", f"--ssl-key={authority.key}")


def elsewhere(url: str, host: str = OTHER_MACHINE, query: str = "") -> dict[str, str]:
    """Return the settings of production with the database of `url` on another machine."""
    return {"ENVIRONMENT": "production", "DATABASE_URL": f"{url.replace('127.0.0.1', host)}?{query}"}


@pytest.mark.parametrize("database", DATABASES)
class TestDatabases:
    def test_one_that_proves_who_it_is_is_used(
        self, install: Install, shared: Path, authority: Authority, database: str
    ) -> None:
        service = install({"framework": "fastapi", "database": database, "auth": "none", "example": False})
        server = started(f"{database}-tls-{os.getpid()}", shared, lambda: tls_server(database, authority))
        url, trusted = create_database(server.url), f"{AUTHORITY[database]}={authority.root}"

        proven = service.with_settings(elsewhere(url, query=trusted))
        proven.run("uv", "run", "app", "migrate")
        with proven.serving() as base_url:
            assert 200 == httpx2.get(f"{base_url}/readyz").status_code

        for unproven in (elsewhere(url), elsewhere(url, NOT_IN_ITS_CERTIFICATE, trusted)):
            refused = service.with_settings(unproven).fails("uv", "run", "app", "migrate")
            assert "certificate" in refused.lower(), refused

    def test_one_that_speaks_in_the_clear_is_not(
        self, install: Install, new_database: NewDatabase, database: str
    ) -> None:
        service = install({"framework": "flask", "database": database, "auth": "none", "example": False})
        settings = elsewhere(new_database(database)["DATABASE_URL"])
        refused = service.with_settings(settings).fails("uv", "run", "app", "migrate")
        assert "SSL" in refused, refused

        service.with_settings({**settings, "PLAINTEXT_HOSTS": OTHER_MACHINE}).run("uv", "run", "app", "migrate")

    def test_no_detour_does_without(self, install: Install, database: str) -> None:
        service = install({"framework": "flask", "database": database, "auth": "none", "example": False})
        weak = WEAK[database][0]
        for query in DETOURS[database]:
            url = f"{database}://ada@localhost/app?{query}&{weak}"
            detour = service.with_settings({"ENVIRONMENT": "production", "DATABASE_URL": url})
            assert "PLAINTEXT_HOSTS" in detour.fails("uv", "run", "app", "serve")

    def test_a_whole_other_address_is_no_option(self, install: Install, database: str) -> None:
        service = install({"framework": "flask", "database": database, "auth": "none", "example": False})
        url = f"{database}://ada@localhost/app?conninfo=hostaddr%3D10.0.0.1"
        detour = service.with_settings({"ENVIRONMENT": "production", "DATABASE_URL": url})
        assert "DATABASE_URL: conninfo is not an option" in detour.fails("uv", "run", "app", "serve")

    def test_less_is_refused_at_the_start_with_a_sentence(self, install: Install, database: str) -> None:
        service = install({"framework": "flask", "database": database, "auth": "none", "example": False})
        for query in WEAK[database]:
            weak = service.with_settings(elsewhere(f"{database}://ada:hunter2@127.0.0.1/app", query=query))
            refused = weak.fails("uv", "run", "app", "serve")
            assert refused.startswith("Error: DATABASE_URL: "), refused
            assert "PLAINTEXT_HOSTS" in refused
            assert "hunter2" not in refused
