"""Tools to observe and change a forward pass: x-ray, attention patterns, hooks, ablation."""
