"""Looking inside a forward pass, and changing it: x-ray, hooks, interventions, anatomy."""
