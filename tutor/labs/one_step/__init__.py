"""The lab "One step, slowly"."""
