"""What keeps a service from starting: counters that can never be reached, or not safely."""

from urllib.parse import parse_qs, urlsplit

from app.core.errors import SettingsError
from app.core.peers import need_tls
from app.core.settings import Settings
from app.limits.counters import Counters, is_memory


def check(settings: Settings) -> None:
    """Check that calls can be counted where RATE_LIMIT_STORAGE_URL says. Nothing is connected to.

    Raises:
        SettingsError: they cannot, or production would not verify who the server is.
    """
    url = settings.rate_limit_storage_url.get_secret_value()
    if is_memory(url):
        return
    _require_private(url, settings)
    try:
        Counters(url)
    except (ValueError, TypeError):
        # Without the reason, which can have parts of the URL.
        raise SettingsError("RATE_LIMIT_STORAGE_URL: it has an option that such a connection does not have.") from None


def _require_private(url: str, settings: Settings) -> None:
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    # The client takes the host from either place.
    hosts = [parts.hostname or "localhost", *options.get("host", [])]
    if parts.scheme.endswith("unix") or not need_tls(hosts, settings):
        return
    if parts.scheme not in {"rediss", "valkeys"} or options.keys() & {"ssl_cert_reqs", "ssl_check_hostname"}:
        msg = (
            "RATE_LIMIT_STORAGE_URL: production verifies who the server is. Begin it with rediss:// and leave out "
            "ssl_cert_reqs and ssl_check_hostname, or name its host in PLAINTEXT_HOSTS if something else protects the "
            "connection."
        )
        raise SettingsError(msg)
