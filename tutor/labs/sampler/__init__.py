"""The "Sampler workbench" lab."""
