"""`app cache`."""

import click

from app.core.settings import get_settings


@click.group("cache")
def command() -> None:
    """Look after the cache."""


@command.command()
def show() -> None:
    """Print how long answers are kept."""
    click.echo(f"{get_settings().cache_seconds} seconds")
