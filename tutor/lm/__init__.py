"""The language model, from a text to the next token.

These modules continue a text. Read them in this order; `network.py` is the heart of the package:

    tokenizer        converts text to token ids, and token ids back to text
    network          the Transformer, which computes a score for every possible next token
    sampling         turns the scores into probabilities and chooses one token (with `draw`)
    session          processes a text, and caches the results so that none is computed twice
    trajectory       repeats these steps to generate text one token at a time

Other modules support them:

    language_model   a network with its tokenizer: what the rest of the program calls a model
    load             loads a model from disk
    chat             converts a conversation to tokens, using the model's `chat_template`
    chain, dials     the sampler's steps as separate functions that work in any order
    divergence       compares two distributions (with `comparison`)
    token_tree       a text with several continuations, called branches
    distribution     data types for the rest of the program, without torch

Each of these packages is about one subject:

    training/        training: the loop, checkpoints, and recipes for the bundled models
    inspect/         inside the network: attention, the logit lens, attribution, ablation
    embeddings/      word vectors: similar words, analogies, word2vec
    fast/            faster modules for trained models: packed weights, fused attention
    formats/         model files: reading untrusted files, packed copies, export

This file imports nothing, so a process can import the package's data types without loading torch.
"""
