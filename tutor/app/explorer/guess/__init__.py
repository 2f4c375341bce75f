"""The guessing game: guess the next token of a text, then see the model's distribution."""
