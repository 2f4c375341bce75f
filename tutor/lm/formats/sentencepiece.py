"""Build a SentencePiece tokenizer from its vocabulary.

SentencePiece (Kudo and Richardson 2018) writes each space as "▁" and then splits the whole text,
spaces included. It has two algorithms:

- byte pair encoding: find the pairs of neighbors whose concatenation is in the vocabulary, and
  merge the pair whose concatenation has the highest score; repeat this until no such pair is left;
- a unigram model (Kudo 2018): each token's score is the logarithm of its probability, and the text
  is split so that the sum of the scores is as high as possible.

With byte fallback, a character that the vocabulary lacks is replaced by one token for each of its
bytes in UTF-8. The vocabulary is stored in a file `tokenizer.model` or in the metadata of a GGUF
file. The `tokenizers` library implements both algorithms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
)

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.formats.library import library_failures

SPACE = "▁"

MOST_TOKENS = 500_000
"""The maximum number of tokens. The largest vocabularies of language models have about 260,000."""

_MOST_MERGES = 3_000_000  # Gemma, with 262,144 tokens, has 580,000
_LONGEST_MERGES = 50_000_000  # characters in all merges
_SUGGESTION = "Use another model."

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""The types of tokens. The numbers are the same in `tokenizer.model` and in GGUF files."""

Algorithm = Literal["bpe", "unigram"]


class Vocabulary(msgspec.Struct, frozen=True):
    """The texts, scores and types of all tokens, in the order of their ids."""

    texts: Sequence[str]
    scores: Sequence[float]
    kinds: Sequence[int]

    def first(self, kind: int) -> int | None:
        """Return the id of the first token of a type, or None."""
        return next((id_ for id_, each in enumerate(self.kinds) if each == kind), None)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for splitting a text.

    Attributes:
        byte_fallback: Replace an unknown character with tokens for its bytes.
        space_before: Add a space before the text, so that its first word is like any other word.
        single_spaces: Remove spaces at both ends, and replace several spaces with one.
        character_map: The characters to replace before the text is split, in the format of the
            SentencePiece library. It can be empty.
    """

    algorithm: Algorithm = "bpe"
    byte_fallback: bool = True
    space_before: bool = True
    single_spaces: bool = False
    character_map: bytes = b""


def sentencepiece(vocabulary: Vocabulary, rules: Rules) -> Tokenizer:
    """Build the tokenizer, without its special and user-defined tokens (see `added_tokens`).

    Raises `ModelDamaged` if the vocabulary or the character map is invalid, and `ModelUnsupported`
    if the vocabulary is so large that its tokenizer would take too much time or memory.
    """
    if len(vocabulary.texts) > MOST_TOKENS:
        raise too_many_tokens()
    if not all(map(math.isfinite, vocabulary.scores)):
        raise ModelDamaged("the score of a token is NaN or infinite.")
    with library_failures("the vocabulary makes no sense"):
        if rules.algorithm == "bpe":
            made = Tokenizer(_bpe(vocabulary, rules))
        else:
            made = Tokenizer(_unigram(vocabulary, rules))
            made.pre_tokenizer = _splitting(vocabulary)
    with library_failures("the replaced characters are damaged"):
        made.normalizer = _normalizer(rules)
        made.encode(" Test \u00e9\u2003\uff21\n")
    made.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return made


def too_many_tokens() -> ModelUnsupported:
    return ModelUnsupported(
        f"the vocabulary is too large: it has more than {MOST_TOKENS:,} tokens.", _SUGGESTION
    )


def added_tokens(vocabulary: Vocabulary) -> list[AddedToken]:
    """Return the tokens that are recognized before the text is split: special and user-defined."""
    return [
        AddedToken(text, special=kind != USER_DEFINED, normalized=False)
        for text, kind in zip(vocabulary.texts, vocabulary.kinds, strict=True)
        if kind in (UNKNOWN, CONTROL, USER_DEFINED)
    ]


def _bpe(vocabulary: Vocabulary, rules: Rules) -> models.BPE:
    """Return the model for byte pair encoding.

    In `tokenizers`, merges have ranks instead of scores. Sorting all possible pairs by the score of
    their concatenation gives equivalent ranks.
    """
    texts, scores = vocabulary.texts, vocabulary.scores
    ids = {text: id_ for id_, text in enumerate(texts)}
    joined = [text for text, kind in zip(texts, vocabulary.kinds, strict=True) if kind == NORMAL]
    joined.sort(key=lambda text: -scores[ids[text]])
    merges: list[tuple[str, str]] = []
    characters = 0
    for text in joined:
        pairs = ((text[:cut], text[cut:]) for cut in range(1, len(text)))
        known = [pair for pair in pairs if pair[0] in ids and pair[1] in ids]
        merges += known
        characters += len(known) * len(text)
        # A thousand tokens, each one character longer than the one before, have a gigabyte of them.
        if len(merges) > _MOST_MERGES or characters > _LONGEST_MERGES:
            raise ModelUnsupported("the vocabulary has too many merges.", _SUGGESTION)
    unknown = vocabulary.first(UNKNOWN)
    settings: dict[str, Any] = {"vocab": ids, "merges": merges, "fuse_unk": True}
    return models.BPE(
        **settings,
        byte_fallback=rules.byte_fallback,
        unk_token=None if unknown is None else texts[unknown],
    )


def _unigram(vocabulary: Vocabulary, rules: Rules) -> models.Unigram:
    unknown = vocabulary.first(UNKNOWN)
    if unknown is None:
        raise ModelDamaged("the vocabulary has no token for unknown characters.")
    pairs = list(zip(vocabulary.texts, vocabulary.scores, strict=True))
    return models.Unigram(pairs, unk_id=unknown, byte_fallback=rules.byte_fallback)


def _splitting(vocabulary: Vocabulary) -> pre_tokenizers.PreTokenizer | None:
    """Return rules that keep a unigram model from producing special tokens for ordinary text.

    In `tokenizers`, the unigram model ignores token types, so it would encode the text "</s>" as
    the special token "</s>". To prevent this, the text "</s>" is split after its first character.
    """
    hidden = [
        text
        for text, kind in zip(vocabulary.texts, vocabulary.kinds, strict=True)
        if kind in (UNKNOWN, CONTROL, UNUSED, BYTE) and len(text) > 1
    ]
    if not hidden:
        return None
    starts: dict[str, list[str]] = {}
    for text in hidden:
        starts.setdefault(text[0], []).append(re.escape(text[1:]))
    pattern = "|".join(
        f"{re.escape(first)}(?=(?:{'|'.join(rest)}))" for first, rest in starts.items()
    )
    return pre_tokenizers.Split(Regex(pattern), "merged_with_previous")


def _normalizer(rules: Rules) -> normalizers.Normalizer:
    """Return the steps that change a text before it is split."""
    steps: list[normalizers.Normalizer] = []
    if rules.character_map:
        steps.append(normalizers.Precompiled(rules.character_map))
    if rules.single_spaces:
        steps.append(normalizers.Replace(Regex(r"\A +| +\z"), ""))
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    if rules.space_before:
        steps.append(normalizers.Prepend(SPACE))
    steps.append(normalizers.Replace(" ", SPACE))
    return normalizers.Sequence(steps)
