"""Settings of the authentication style: none, since API keys live in the database."""

from pydantic_settings import BaseSettings


class AuthSettings(BaseSettings):
    """Nothing to set."""
