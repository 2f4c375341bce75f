"""The lab "Tokens", which splits text into tokens, words, characters or bytes."""
