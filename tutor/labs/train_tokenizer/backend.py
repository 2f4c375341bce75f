"""A tokenizer is trained, too: on nothing but how often two pieces stand side by side.

Training begins with the 256 bytes. Again and again the most frequent pair of neighbors in the text
becomes a piece of its own, until the vocabulary is as large as wanted (Sennrich et al. 2016; the
counting is done by the `tokenizers` library). A vocabulary of 1,000 is therefore the first 1,000
pieces of a vocabulary of 4,000 on the same text.
"""

from __future__ import annotations

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.lesson_prose import lesson_prose
from tutor.labs.train_tokenizer.lab import SHOWN, Answer, Question
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


class TrainTokenizerBackend:
    def __init__(self, tools: Tools) -> None:
        self._model = tools.model.tokenizer

    def answer(self, question: Question) -> Answer:
        """Raises `TextError` where the model's vocabulary lacks a byte of what is tried."""
        text = "\n".join(lesson_prose()) if question.text is None else question.text
        tokenizer = train_tokenizer(text, question.size)
        found = tokenizer.vocabulary_size - BYTES
        merges = tokenizer.tokens(range(BYTES, BYTES + min(SHOWN, found)))
        pieces = tokenizer.tokens(tokenizer.encode(question.tried))
        return Answer(
            tokens=len(tokenizer.encode(text)),
            byte_count=len(text.encode()),
            merges=tuple(token.data for token in merges),
            found=found,
            pieces=tuple(token.data for token in pieces),
            model_pieces=len(self._model.encode(question.tried)),
        )


make_backend = TrainTokenizerBackend
