"""Background work: running and downloading the model, and recording goals."""
