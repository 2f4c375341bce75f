"""A tokenizer is trained, too: on nothing but how often two pieces stand side by side.

Training begins with the 256 bytes. Again and again the most frequent pair of neighbors in the text
becomes a piece of its own, until the vocabulary is as large as wanted (Sennrich et al. 2016; the
counting is done by the `tokenizers` library). A vocabulary of 1,000 is therefore the first 1,000
pieces of a vocabulary of 4,000 on the same text.
"""

from __future__ import annotations

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from tutor.lm.tokenizer import Tokenizer

BYTES = 256
"""The vocabulary before the first merge."""


def train_tokenizer(text: str, vocabulary: int) -> Tokenizer:
    """A byte-level tokenizer of `vocabulary` pieces, the bytes included, made for this text. It
    stays smaller where no pair occurs twice any more."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(text.splitlines(keepends=True), trainer)
    return Tokenizer(backend)
