"""Train the tokenizer of the small model: byte pair encoding, with one token for each digit."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 4096
END = "<|endoftext|>"
START_MARK, END_MARK = "<|im_start|>", "<|im_end|>"
USER = f"{START_MARK}user\n"
ASSISTANT = f"{START_MARK}assistant\n"
TURN_END = f"{END_MARK}\n"


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """Train a tokenizer on `texts`, and return it.

    Every byte is a token, so any text can be encoded and decoded.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, START_MARK, END_MARK],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    marks = (START_MARK, END_MARK)
    tokenizer.train_from_iterator((_without(text, marks) for text in texts), trainer)
    return tokenizer


def _without(text: str, marks: tuple[str, ...]) -> str:
    for mark in marks:
        text = text.replace(mark, "")
    return text
