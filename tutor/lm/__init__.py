"""The language model: read `network.py` first, from top to bottom.

    network          the Transformer: rotary embedding, RMSNorm, grouped-query attention, SwiGLU
    tokenizer        text to token ids and back, bytes always intact
    language_model   both together, as everything that works with a loaded model takes them
    session          a text and its key-value cache: forward costs one token, back costs nothing
    sampling         from logits to one chosen token, by the race that `draw` explains
    chain, dials     the same settings as steps of their own, in any order
    chat             a conversation as the one text that the model reads; `chat_template` renders it
    token_tree       a text and its branches; `trajectory` is a text that goes on by itself
    distribution     the plain data that all of this hands to the rest of the program (no torch)
    load             from files on disk to a network that runs

    fast/            modules that take the places of the network's own when a finished model is
                     loaded: packed linears, fused attention; kernels, threads, devices, memory
    formats/         model files, read without trusting them; packed copies; export
    inspect/         attention and the logit lens, heads, hooks, interventions
    embeddings/      the rows of the embedding table as word vectors
    training/        the training loop, checkpoints, and the recipes of the bundled models

This file imports nothing, so that the data types can be used where torch must not be loaded.
"""
