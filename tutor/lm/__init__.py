"""The language model: read `network.py` first, from top to bottom.

    network        the Transformer: RMSNorm, rotary embedding, grouped-query attention, SwiGLU
    linear         how its weight matrices are stored and multiplied
    kernels        which of these ways this machine has, and which is fastest here
    waiting        how the threads that multiply wait for each other
    tokenizer      text to token ids and back, bytes always intact; tokenizer_gguf reads a GGUF's
    session        a text and its key-value cache: forward costs one token, back costs nothing
    trajectory     a text that goes on by itself
    sampling       from logits to one chosen token, by the race that draw explains
    token_tree     a text and its branches
    chat           a conversation as the one text that the model reads; chat_template renders it
    xray           attention and the logit lens
    heads          where all heads look over a text; attention_by_hand does one step by step,
                   head_vectors takes its numbers out of the network
    surgery        the network with heads or blocks switched off, or its mask; hooks puts them in
    anatomy        its tensors and their weights; quantize rounds them to fewer bits
    distribution   the plain data that all of this hands to the rest of the program (no torch)

From files on disk to a network that runs:

    source         what the readers offer: gguf_file and hugging_face
    soundness      whether what a file says of itself can be true
    convert        from a file's weights to those that the network runs with
    packed_file    these, kept for the next start
    load           all of it, in order
    shortage       too little memory, in words

And back, for the small model that comes along: train, checkpoint, export.

This file imports nothing, so that the data types can be used where torch must not be loaded.
"""
