"""The "Three families of Transformers" lab."""
