"""An encoder, a decoder and an encoder-decoder, trained on the same small language."""
