"""The "Three families of Transformers" lab, which compares the output of three small models."""
