"""`python -m app.health [PATH]` ends with 0 if the service in this container answers: the health check of the image.

It asks `/healthz`, whether the process is up, not whether the database is: a container that is stopped because its
database is away does not come back sooner. Where nothing is stopped for it, ask `/readyz`.
"""

import sys
from http.client import HTTPConnection, HTTPException

from app.core.errors import SettingsError
from app.core.settings import Settings, get_settings

_PATIENCE_SECONDS = 4
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is bound to, not what is called


def status(settings: Settings, path: str = "/healthz") -> int:
    """Return the status that `path` is answered with.

    Raises:
        OSError: nothing listens, or it does not answer in time.
        HTTPException: what answers does not speak HTTP.
    """
    address = _ANY_ADDRESS.get(settings.host, settings.host)
    connection = HTTPConnection(address, settings.operations_port or settings.port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def main() -> None:
    """Exit with 0 if the service is healthy, else print one sentence to standard error."""
    path = next(iter(sys.argv[1:]), "/healthz")
    try:
        answer = status(get_settings(), path)
    except (OSError, HTTPException, SettingsError) as error:
        sys.exit(f"Error: {error}")
    if answer != 200:  # noqa: PLR2004 - HTTP's own
        sys.exit(f"Error: {path} was answered with {answer}.")


if __name__ == "__main__":
    main()
