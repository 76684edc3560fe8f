"""A `/v2` of orders beside `/v1`, as docs/versioning.md of a service says."""
