"""The "Patching" lab, in which activations of one run are copied into another run."""
