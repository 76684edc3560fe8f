"""What a database says of a row that it refuses: what a customer sent stands in it."""

FORM = r"(?<=DETAIL:)[^\n]++"
