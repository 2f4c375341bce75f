"""The lab "Anatomy of a model"."""
