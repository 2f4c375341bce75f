"""Read untrusted model files (GGUF and Hugging Face folders), pack weights, and export models."""
