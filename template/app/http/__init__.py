"""What HTTP asks of every answer, in plain Python: both a client of FastAPI and one of Flask get the same."""
