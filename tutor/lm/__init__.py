"""The language model. Start with `network.py` and read it from top to bottom.

    network          the Transformer: rotary embedding, RMSNorm, grouped-query attention, SwiGLU
    tokenizer        converts text to token ids and back without losing a byte
    language_model   a network with its tokenizer: what the rest of the program calls a model
    session          a token sequence and its key-value cache
    sampling         turns logits into probabilities and one sampled token (with `draw`)
    chain, dials     the sampler's steps as separate functions, in any order
    chat             turns a conversation into tokens, using the model's `chat_template`
    token_tree       a text and its branches
    trajectory       generates text one token at a time
    distribution     data types for the rest of the program, without torch
    load             loads a model from disk

    fast/            faster modules for trained models: packed weights, fused attention
    formats/         readers for untrusted model files, packed copies, export
    inspect/         attention, the logit lens, heads, hooks, interventions
    embeddings/      the rows of the embedding table as word vectors
    training/        the training loop, checkpoints, and recipes for the bundled models

This file imports nothing, so a process can import the package's data types without loading torch.
"""
