"""The guessing game: guess the next token, then see what the model thought."""
