"""What ends a command of this package."""

import click


class Refused(click.ClickException):
    """Nothing was signed, or an image is not to be released; the message says why, in one sentence."""
