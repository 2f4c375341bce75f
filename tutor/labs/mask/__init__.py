"""The "Without the causal mask" lab, in which tokens can attend to later tokens."""
