"""Background work: run and download the model, and save goals, labs and settings."""
