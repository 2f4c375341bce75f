"""The "Merge player" lab, which applies a tokenizer's merges one at a time."""
