"""The "One word, two sentences" lab."""
