"""The contract: what clients send and get. No other module decides the form of a field."""
