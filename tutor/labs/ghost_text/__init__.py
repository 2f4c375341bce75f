"""The lab "Gray text"."""
