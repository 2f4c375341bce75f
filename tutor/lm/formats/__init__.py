"""Model files, read without trusting them: GGUF, safetensors folders, the packed copy."""
