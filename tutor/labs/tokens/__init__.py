"""The "Tokens" lab."""
