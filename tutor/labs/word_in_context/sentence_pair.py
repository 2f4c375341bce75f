"""Parse pairs of sentences, with a marked word in each sentence."""

from __future__ import annotations

import re

import msgspec

from tutor.errors import LabError
from tutor.language import _

LONGEST = 200
"""The maximum length of a sentence, in characters."""


class Sentence(msgspec.Struct, frozen=True):
    """A sentence in which the word `text[begin:end]` is marked."""

    text: str
    begin: int
    end: int

    @property
    def word(self) -> str:
        return self.text[self.begin : self.end]

    @property
    def before(self) -> str:
        return self.text[: self.begin]

    @property
    def marked(self) -> str:
        return f"{self.before}*{self.word}*{self.text[self.end :]}"


class Pair(msgspec.Struct, frozen=True):
    first: Sentence
    second: Sentence
    own: bool = False

    @property
    def same_word(self) -> bool:
        return self.first.word.casefold() == self.second.word.casefold()


def pair(text: str, *, own: bool = True) -> Pair:
    """Parse two sentences, separated by `/` or a line break.

    Without either of them, a semicolon separates the sentences, as it separates groups of words in
    other labs.

    In a sentence without a marked word, the last word that both sentences contain is marked. Raises
    `LabError` if the text does not consist of two sentences, if there is no such word, or if a
    sentence is too long.
    """
    separator = r"[/\n]" if re.search(r"[/\n]", text) else ";"
    parts = [part.strip() for part in re.split(separator, text) if part.strip()]
    if len(parts) != 2:
        raise LabError(
            "Exactly two sentences are needed.",
            "Put a / between them: I sat on the bank / I robbed it",
        )
    shared = _last_shared(parts[0], parts[1])
    first, second = (_sentence(part, shared) for part in parts)
    return Pair(first, second, own)


def _last_shared(first: str, second: str) -> str | None:
    known = {word.casefold() for word in re.findall(r"\w+", second)}
    shared = [word for word in re.findall(r"\w+", first) if word.casefold() in known]
    return shared[-1] if shared else None


def _sentence(text: str, shared: str | None) -> Sentence:
    marked = re.search(r"\*([^*]+)\*", text)
    if marked:
        text = text[: marked.start()] + marked[1] + text[marked.end() :]
        begin, end = marked.start(), marked.start() + len(marked[1])
    else:
        pattern = rf"\b{re.escape(shared or '')}\b"
        found = list(re.finditer(pattern, text, re.IGNORECASE)) if shared else []
        if not found:
            raise LabError(
                "The two sentences have no word in common.", "Mark a word in each: the river *bank*"
            )
        begin, end = found[-1].span()
    if len(text) > LONGEST:
        raise LabError(
            _("One sentence has {count} characters; the limit is {longest}.").format(
                count=len(text), longest=LONGEST
            ),
            "Shorten it. The text after the word has no effect.",
        )
    return Sentence(text, begin, end)


PAIRS: tuple[Pair, ...] = tuple(
    pair(text, own=False)
    for text in (
        "They walked along the river bank. / He borrowed the money from the bank.",
        "They walked along the river bank. / They sat on the muddy bank.",
        "He borrowed the money from the bank. / She put it in the savings bank.",
        "In the garden it is *spring* / The watch has a broken *spring*",
        "I saw a *bat* / He swung the *bat*",
        "She read a *book* / I want to *book*",
    )
)
