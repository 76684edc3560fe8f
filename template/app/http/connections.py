"""How long a connection lasts."""

KEEP_ALIVE_SECONDS = 75
"""An idle connection is closed after this: later than proxies close theirs (60 s are usual), which would otherwise send
a request into one that is just being closed, and answer it with 502."""
