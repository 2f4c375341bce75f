"""Small models of three kinds, trained on the same language: encoder, decoder, encoder-decoder."""
