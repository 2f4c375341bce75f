"""Visualize why a model predicts a token, in the x-ray and in labs.

The modules draw a ranked list of the network's parts, a map of layers and heads, the tokens from
which a head took its contribution, and a table of the text's tokens. Contributions are in logits.
On the screen, layers, heads and tokens are numbered from 1.
"""
