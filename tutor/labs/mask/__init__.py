"""The lab "Without the causal mask", in which tokens can attend to later tokens."""
