"""The lab "Adviser", which ranks options for a task."""
