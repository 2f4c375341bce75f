"""Which tokens a word can be, when it is to be one token.

Inside a sentence a word has a space before it, which is part of its token; at the start of a text
and after a bracket it has none. Both can be entries of the vocabulary, and are different rows of
the embedding table. A rarer word is several tokens and has no row of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.lm.distribution import Token
    from tutor.lm.tokenizer import Tokenizer


def forms(tokenizer: Tokenizer, word: str) -> tuple[tuple[Token, ...], ...]:
    """Ways to cut `word`, each beginning with another token: first those that make one token of
    it, then those that make several.

    Tried are the word after a space, the word as it is written, and both with the first letter
    the other way (small or capital). Several tokens are given for the first two only. Empty for
    an empty word. Raises `TextError` for what the vocabulary cannot say.
    """
    other = word[:1].swapcase() + word[1:]
    written = [word] if word.startswith(" ") else [f" {word}", word]
    turned = [] if word.startswith(" ") else [f" {other}", other]
    single: dict[int, tuple[Token, ...]] = {}
    several: dict[int, tuple[Token, ...]] = {}
    for text in [*written, *turned] if word.strip() else []:
        tokens = tokenizer.tokens(tokenizer.encode(text))
        if len(tokens) == 1:
            single.setdefault(tokens[0].id, tokens)
        elif text in written:
            several.setdefault(tokens[0].id, tokens)
    apart = [cut for id_, cut in several.items() if id_ not in single]
    return (*single.values(), *apart)
