"""Train tokenizers by byte pair encoding, which counts pairs of adjacent tokens.

At first, the tokens are the 256 bytes. The training repeatedly finds the most frequent pair of
adjacent tokens in the text, and merges it into a new token, until the vocabulary has the desired
size (Sennrich et al. 2016; the `tokenizers` library does the counting).

So a vocabulary of 1,000 tokens consists of the first 1,000 tokens of any larger vocabulary that is
trained on the same text.
"""

from __future__ import annotations

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.lesson_prose import lesson_prose
from tutor.labs.train_tokenizer.lab import BYTES, SHOWN, Answer, Question
from tutor.lm.tokenizer import Tokenizer


def train_tokenizer(text: str, vocabulary: int) -> Tokenizer:
    """Train a tokenizer on a text, with up to `vocabulary` tokens.

    The tokens include the 256 bytes. Training ends early if no pair of adjacent tokens occurs at
    least twice.
    """
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
    """The lab's backend. It trains a new tokenizer for each request."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model.tokenizer

    def answer(self, question: Question) -> Answer:
        """Train a tokenizer, use it, and return the results.

        Raises `TextError` if the model's vocabulary has no token for a byte of `question.tried`.
        """
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
