"""Turn WordNet's definitions and examples into plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_DATA = "usr/share/wordnet"
_PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_PERSON = "18"  # the lexicographer file of persons
_UNFIT = re.compile(
    r"\b(vulgar|obscen|offensive|derogat|disparag|slur|slang|sex|genital|coitus|copulat|prostitut"
    r"|penis|vagina|anus|excre|feces|rape|murder|nigger|insult)\w*",
    re.IGNORECASE,
)
_SENTENCE_START = re.compile(
    r"(he|she|it|they|we|i|you|the|this|that|these|those|his|her|their|our|my|there|a|an|don't"
    r"|do|did|what|who|how|please|let|no|some|many|all|every|I|A|[A-Z][a-z]+)\b"
)
_VERB = re.compile(r"\b(is|are|was|were|has|have|had|will|can|could|would|did|does|\w+ed)\b")
_VOWEL = re.compile(r"[aeiou]|hour|honest|heir", re.IGNORECASE)


@dataclass(frozen=True)
class Synset:
    """A meaning, with its words, its frequency in texts, its definition and its examples."""

    part: str
    file: str
    words: tuple[str, ...]
    count: int
    named: bool  # an individual (a person, a city), not a kind of thing
    broader: str | None  # the offset of the meaning that includes this one
    definition: str
    examples: tuple[str, ...]


def synsets(package: Path) -> dict[str, Synset]:
    """Return all meanings suitable for a classroom, by part of speech and offset."""
    folder = package / _DATA
    counts = _counts(folder / "cntlist.rev")
    found = {}
    for part, name in _PARTS.items():
        for line in (folder / f"data.{name}").read_text("utf-8").splitlines():
            if line[:2] != "  " and not _UNFIT.search(line):
                found[part + line[:8]] = _parsed(part, line, counts)
    return found


def _counts(path: Path) -> dict[tuple[str, str, int], int]:
    """Return how often each sense occurs in WordNet's tagged texts.

    The keys are the word, the lexicographer file and the number in that file.
    """
    counts = {}
    for line in path.read_text("utf-8").splitlines():
        key, _, count = line.split()
        word, _, rest = key.partition("%")
        _, file, number = rest.split(":")[:3]
        counts[word, file, int(number)] = int(count)
    return counts


def _parsed(part: str, line: str, counts: dict[tuple[str, str, int], int]) -> Synset:
    """Parse one line of a data file.

    The format is: offset, file, type, words, pointers | definition; "examples".
    """
    fields, _, gloss = line.partition(" | ")
    _, file, _, size, *rest = fields.split()
    pairs = [(rest[2 * i], int(rest[2 * i + 1], 16)) for i in range(int(size, 16))]
    pairs = [(re.sub(r"\(\w+\)$", "", word), number) for word, number in pairs]
    pointers = rest[2 * len(pairs) + 1 :]
    broader = next((pointers[i + 1] for i, mark in enumerate(pointers) if mark == "@"), None)
    examples = tuple(re.findall(r'"([^"]+)"', gloss))
    definition = re.sub(r'"[^"]*"(\s*-[^;]*)?', "", gloss)
    definition = re.sub(r"^\s*\([^)]*\)", "", definition)
    definition = re.sub(r"^\s*(act|process|state|quality|action) of", r"the \1 of", definition)
    return Synset(
        part=part,
        file=file,
        words=tuple(word.replace("_", " ") for word, _ in pairs),
        count=max(counts.get((word.lower(), file, number), 0) for word, number in pairs),
        named="@i" in pointers,
        broader=part + broader if broader else None,
        definition=" ".join(definition.replace("`", "'").split()).strip(" ;:,"),
        examples=examples,
    )


def entries(meanings: dict[str, Synset]) -> Iterator[tuple[Synset, str]]:
    """Yield each common meaning with its sentences: a definition, a broader term, examples."""
    for synset in meanings.values():
        if not synset.definition or not (synset.count or synset.examples):
            continue
        sentences = [definition_sentence(synset)]
        broader = meanings.get(synset.broader or "")
        if broader and synset.part == "n" and synset.count > 1:
            sentences.append(f"{_subject(synset)} is a kind of {broader.words[0]}.")
        sentences += [_sentence(text) for text in synset.examples if _is_sentence(text)]
        yield synset, " ".join(sentences)


def definition_sentence(synset: Synset) -> str:
    """Return a sentence like: A clock is a timepiece that shows the time of day."""
    word, text = synset.words[0], synset.definition
    if synset.part == "v":
        return f"To {word} is to {text}."
    if synset.part != "n":
        return f"{word.capitalize()} means {text}."
    if synset.named and synset.file == _PERSON:
        name = max(synset.words, key=len)
        text = text if text.startswith(("a ", "an ", "the ")) else f"{article(text)} {text}"
        return f"{name} was {text}."
    return f"{_subject(synset)} is {text}."


def question(synset: Synset) -> str:
    """Return the question that `definition_sentence` answers."""
    word = synset.words[0]
    if synset.part == "v":
        return f"What does it mean to {word}?"
    if synset.part != "n":
        return f"What does {word} mean?"
    if synset.named and synset.file == _PERSON:
        return f"Who was {max(synset.words, key=len)}?"
    subject = _subject(synset)
    return f"What is {subject if synset.named else subject[0].lower() + subject[1:]}?"


def article(text: str) -> str:
    return "an" if _VOWEL.match(text) and not re.match(r"uni|use|eu|one", text.lower()) else "a"


def _subject(synset: Synset) -> str:
    """Return the word with the article that its definition suggests, capitalized."""
    word, text = synset.words[0], synset.definition
    if word[0].isupper():
        return word
    if text.startswith(("a ", "an ", "someone ", "any of ", "one of ")):
        return f"{article(word).capitalize()} {word}"
    return word[0].upper() + word[1:]


def _is_sentence(text: str) -> bool:
    """Guess whether an example is a sentence or a phrase, by its first words and verbs."""
    if len(text.split()) < 4 or not _SENTENCE_START.match(text):
        return False
    return bool(_VERB.search(text)) or not re.match(r"(an?|the|his|her|their|our|my)\b", text)


def _sentence(text: str) -> str:
    text = text.strip().replace("`", "'")
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def first_meanings(meanings: Iterable[Synset]) -> Iterator[Synset]:
    """Yield the most common meaning of each word, if WordNet's tagged texts use it often enough."""
    best: dict[tuple[str, str], Synset] = {}
    for synset in meanings:
        key = synset.part, synset.words[0]
        if key not in best or best[key].count < synset.count:
            best[key] = synset
    return (synset for synset in best.values() if synset.count > 3)
