"""HTTP behaviour that does not depend on the framework: limits, headers, errors, the server."""
