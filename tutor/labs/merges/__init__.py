"""The lab "Merge player", which applies a tokenizer's merges one at a time."""
