"""Settings of the authentication style: none, since nobody is asked who they are."""

from pydantic_settings import BaseSettings


class AuthSettings(BaseSettings):
    """Nothing to set."""
