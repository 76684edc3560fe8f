"""What a database says of a row that it refuses: what a customer sent stands in it."""

FORM = r"(?<=Duplicate entry )\\?'[^\n]{0,512}'(?= for key)"
