"""The lab "Three families of Transformers", which compares the output of three small models."""
