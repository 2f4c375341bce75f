"""The lab "The residual stream", which follows one token's vector through the network."""
