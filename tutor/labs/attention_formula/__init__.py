"""The "Attention formula by hand" lab."""
