"""Traces of requests, sent to an OpenTelemetry receiver; docs/tracing.md says which spans there are."""
