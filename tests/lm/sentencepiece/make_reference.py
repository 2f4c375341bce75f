"""Train small SentencePiece models, and write how the `sentencepiece` package splits texts.

    python -m tests.lm.sentencepiece.make_reference

It writes one `.model` for each case, and `reference.json` with the ids of all texts. The models are
trained on the lessons, and resemble those of Llama 2, Gemma, and models with unigram tokenizers.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.lm.make_token_reference import TEXTS, random_texts

HERE = Path(__file__).parent
FILE = HERE / "reference.json"
LESSONS = HERE.parents[2] / "lessons"

_LLAMA = {
    "model_type": "bpe",
    "byte_fallback": True,
    "normalization_rule_name": "identity",
    "remove_extra_whitespaces": False,
    "split_digits": True,
    "allow_whitespace_only_pieces": True,
}
_GEMMA = _LLAMA | {
    "add_dummy_prefix": False,
    "pad_id": 0,
    "eos_id": 1,
    "bos_id": 2,
    "unk_id": 3,
    "user_defined_symbols": ["<mask>", "\n", "\n\n", "▁▁", "▁▁▁", "▁▁▁▁", "<table>"],
    "control_symbols": ["<start_of_turn>", "<end_of_turn>"],
}
CASES: dict[str, dict[str, Any]] = {
    "llama": _LLAMA,
    "gemma": _GEMMA,
    "unigram": {"model_type": "unigram", "byte_fallback": True} | {"normalization_rule_tsv": "it"},
    "unigram-plain": _LLAMA | {"model_type": "unigram", "byte_fallback": False},
    "bpe-without-bytes": {"model_type": "bpe", "normalization_rule_name": "identity"},
}
"""The settings with which each model is trained."""

# Characters that are replaced in the case "unigram", and what replaces them.
_REPLACED = {"ﬁ": "fi", "Ａ": "A", "½": "1/2", "\u00a0": " ", "\t": " ", "\n": " ", "\u200b": ""}


def texts() -> list[str]:
    """Return the texts that are split: ordinary, unusual, and random ones."""
    chance = random.Random(2)
    few = ["".join(chance.choices("ab \n", k=chance.randint(1, 40))) for _ in range(60)]
    runs = [char * count for char in (" ", "a", "-", "\n", "=") for count in (2, 3, 5, 8, 13)]
    marks = ["<s>", "a </s> b", "<unk><0x41>", "<start_of_turn>user\nHi<end_of_turn>", "▁a▁▁b"]
    german = (LESSONS / "03-tokens.md").read_text(encoding="utf-8")
    lines = chance.sample([line for line in german.splitlines() if line], 60)
    return [*TEXTS, *random_texts(60), *few, *runs, *marks, *lines]


def main() -> None:
    import sentencepiece

    corpus = [
        line
        for path in sorted(LESSONS.glob("0*.md"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line
    ]
    found: dict[str, list[list[int]]] = {}
    for case, settings in CASES.items():
        if "normalization_rule_tsv" in settings:
            settings = settings | {"normalization_rule_tsv": str(_write_rules())}
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus),
            model_prefix=str(HERE / case),
            vocab_size=700,
            character_coverage=0.999,
            num_threads=1,
            minloglevel=2,
            **settings,
        )
        (HERE / f"{case}.vocab").unlink()
        processor = sentencepiece.SentencePieceProcessor(model_file=str(HERE / f"{case}.model"))
        found[case] = [processor.encode(text) for text in texts()]
    (HERE / "rules.tsv").unlink()
    write(found)


def _write_rules() -> Path:
    path = HERE / "rules.tsv"
    lines = (
        " ".join(f"{ord(char):x}" for char in old)
        + "\t"
        + " ".join(f"{ord(char):x}" for char in new)
        for old, new in _REPLACED.items()
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write(found: dict[str, list[list[int]]]) -> None:
    entries = [
        {"text": text} | {case: ids[place] for case, ids in found.items()}
        for place, text in enumerate(texts())
    ]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
