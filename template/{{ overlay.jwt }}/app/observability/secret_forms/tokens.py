"""Tokens of this service that are not JSON Web Tokens."""

FORM = r"\b(?:refresh|reset|proof)_[\w-]{43}(?:\.[\w-]+)?"
