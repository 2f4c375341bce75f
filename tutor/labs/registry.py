"""Which labs there are, by name. A lab is read when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tutor.errors import LabError
from tutor.labs.lab import Lab

AnyLab = Lab[Any, Any, Any, Any]

NAMES: tuple[str, ...] = (
    "generations",
    "tokens",
    "merges",
    "train-tokenizer",
    "neighbors",
    "word-map",
    "word-in-context",
    "word2vec",
    "attention",
    "attention-formula",
    "mask",
    "families",
    "anatomy",
    "surgery",
    "one-step",
    "training",
    "scale",
    "sampler",
    "continuations",
    "certainty",
    "format",
    "ghost-text",
    "landscape",
    "compare",
    "adviser",
    "prompting",
    "injection",
    "rag",
)
"""In the order of the course. The module of `train-tokenizer` is `train_tokenizer`: in
`tutor.labs` what can be done, in `tutor.workbench` what answers, in `tutor.app.lab` what draws."""


def find(name: str) -> AnyLab:
    """The lab of this name. Raises `LabError` if there is none."""
    if name not in NAMES:
        raise LabError(f"There is no lab {name!r}.", "`tutor lab --list` names them all.")
    lab: AnyLab = import_module(f"tutor.labs.{module_name(name)}").LAB
    return lab


def every() -> tuple[AnyLab, ...]:
    return tuple(find(name) for name in NAMES)


def module_name(name: str) -> str:
    return name.replace("-", "_")
