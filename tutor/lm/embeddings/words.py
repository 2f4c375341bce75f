"""Find the single-token spellings of a word.

Within a sentence, a word follows a space, which is part of the word's token. At the start of a text
or after a bracket, there is no space. The vocabulary can contain both forms as different tokens,
with different rows in the embedding table. A rare word consists of several tokens, so no single row
of the table represents it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.lm.distribution import Token
    from tutor.lm.tokenizer import Tokenizer


def forms(tokenizer: Tokenizer, word: str) -> tuple[tuple[Token, ...], ...]:
    """Return tokenizations of the spellings of `word`, each with a different first token.

    Single-token spellings come first, then spellings of several tokens. Four spellings are tried:
    the word with and without a leading space, each as written and with the case of its first letter
    changed. The spellings with changed case are included only if they are single tokens. A word
    that begins with a space is tried only as written. The result is empty for an empty word. Raises
    `TextError` if the vocabulary has no tokens for the word.
    """
    other = word[:1].swapcase() + word[1:]
    written = [word] if word.startswith(" ") else [f" {word}", word]
    recased = [] if word.startswith(" ") else [f" {other}", other]
    single: dict[int, tuple[Token, ...]] = {}
    several: dict[int, tuple[Token, ...]] = {}
    for text in [*written, *recased] if word.strip() else []:
        tokens = tokenizer.tokens(tokenizer.encode(text))
        if len(tokens) == 1:
            single.setdefault(tokens[0].id, tokens)
        elif text in written:
            several.setdefault(tokens[0].id, tokens)
    others = [tokens for id_, tokens in several.items() if id_ not in single]
    return (*single.values(), *others)
