"""The "Tokens" lab, which splits text into tokens, words, characters or bytes."""
