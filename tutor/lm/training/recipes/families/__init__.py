"""Encoder, decoder and encoder-decoder, trained on the same small language."""
