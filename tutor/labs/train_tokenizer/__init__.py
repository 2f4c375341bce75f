"""The lab "Train a tokenizer"."""
