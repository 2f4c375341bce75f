"""Look inside a forward pass, and change it: x-ray, heads, hooks, interventions."""
