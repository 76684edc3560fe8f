"""Routes as the documentation of both frameworks shows them, and what they answer in a rendered service."""
