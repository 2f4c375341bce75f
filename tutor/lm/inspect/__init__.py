"""Look inside a forward pass, and change it: x-ray, hooks, interventions, anatomy."""
