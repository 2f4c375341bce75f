"""The "What heads attend to" lab."""
