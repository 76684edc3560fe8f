"""Every scope that a caller can be granted, with what it permits."""

from typing import Final

SCOPES: Final[dict[str, str]] = {
    # --- scopes of this service go below this line ---
}
