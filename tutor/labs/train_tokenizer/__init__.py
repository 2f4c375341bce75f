"""The "Train a tokenizer" lab."""
