"""The "residual stream" lab, which follows one token's vector through the network."""
