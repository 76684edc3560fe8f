"""Every scope that a caller can be granted, with what it permits."""

from typing import Final

SCOPES: Final[dict[str, str]] = {
    "orders:read": "See orders.",
    "orders:write": "Create, change and delete orders.",
    # --- scopes of this service go below this line ---
}
