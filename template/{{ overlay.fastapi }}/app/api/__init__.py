"""HTTP, and nothing else: a route parses, calls once, and returns."""
