"""The language model: read `network.py` first, from top to bottom.

    network        the Transformer: RMSNorm, rotary embedding, grouped-query attention, SwiGLU
    linear         how its weight matrices are stored and multiplied, and which way is fastest here
    tokenizer      text to token ids and back, bytes always intact
    session        a text and its key-value cache: forward costs one token, back costs nothing
    sampling       from logits to one chosen token
    xray           attention and the logit lens
    distribution   the plain data that all of this hands to the rest of the program (no torch)

This file imports nothing, so that the data types can be used where torch must not be loaded.
"""
