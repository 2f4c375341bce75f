"""The lab "Three families of Transformers"."""
