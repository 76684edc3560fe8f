"""Business rules: plain functions over a Session. They flush, never commit, and know no HTTP."""
