"""What a connection is for."""

from typing import Literal

Role = Literal["read", "write", "migrate"]
