"""The "Train a tokenizer" lab, which trains tokenizers with vocabularies of different sizes."""
