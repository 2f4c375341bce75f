"""The lab "Train a tokenizer", which trains tokenizers with vocabularies of different sizes."""
