"""Model files, which are not trusted: GGUF, folders with safetensors, and packed copies."""
