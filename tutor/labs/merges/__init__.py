"""The "Merge player" lab."""
