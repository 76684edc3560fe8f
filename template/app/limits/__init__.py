"""How often a caller or an address may call: the counters, in this process or in Redis, and what is counted."""
