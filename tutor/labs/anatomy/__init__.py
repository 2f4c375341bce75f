"""The "Anatomy of a model" lab, about parameters and how many bits they need."""
