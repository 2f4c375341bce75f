"""The "Without the causal mask" lab."""
