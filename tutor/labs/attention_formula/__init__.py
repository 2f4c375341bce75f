"""The lab "The attention formula by hand"."""
