"""The language model. Start with `network.py` and read it from top to bottom.

    network          the Transformer: rotary embedding, RMSNorm, grouped-query attention, SwiGLU
    tokenizer        text to token ids and back, without losing a byte
    language_model   a network with its tokenizer: what the rest of the program calls a model
    session          a text and its key-value cache, so that each new token is processed only once
    sampling         from logits to one token, which `draw` picks at random
    chain, dials     the same sampler settings as separate steps that run in any order
    chat             a conversation as one text for the model; `chat_template` renders it
    token_tree       a text and its branches
    trajectory       generation, one token at a time
    distribution     the plain data that the rest of the program receives (no torch)
    load             from files on disk to a network that runs

    fast/            faster replacements for the network's modules, used for finished models:
                     packed weights and fused attention; also kernels, threads, devices, memory
    formats/         model files, which are not trusted; packed copies; export
    inspect/         attention and the logit lens, heads, hooks, interventions
    embeddings/      the rows of the embedding table as word vectors
    training/        the training loop, checkpoints, and the recipes of the bundled models

This file imports nothing, so that the data types can be used in processes that don't load torch.
"""
