"""Who the caller is (`style`, one for each rendering) and what they may do (`policy`, the same everywhere)."""
