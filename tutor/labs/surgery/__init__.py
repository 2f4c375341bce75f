"""The "Surgery" lab."""
