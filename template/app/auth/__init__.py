"""Who the caller is (`scheme`, one for each rendering) and what they may do (`policy`, the same everywhere)."""
