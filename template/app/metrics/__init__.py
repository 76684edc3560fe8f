"""What this service counts and measures, for Prometheus; docs/metrics.md has the list."""
