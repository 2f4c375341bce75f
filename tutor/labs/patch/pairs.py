"""The texts of the lab: pairs to patch, and neutral sentences for mean ablation."""

from __future__ import annotations

from typing import NamedTuple


class Texts(NamedTuple):
    """Text A, which is patched, and text B, whose activations are used.

    With the default model, both have the same number of tokens and different answers.
    """

    a: str
    b: str


EXAMPLES: tuple[Texts, ...] = (
    Texts("The capital of France is", "The capital of Italy is"),
    Texts("The Eiffel Tower is in the city of", "The Colosseum is in the city of"),
    Texts(
        "When Mary and John went to the store, John gave a drink to",
        "When Mary and John went to the store, Mary gave a drink to",
    ),
    Texts("The keys on the table", "The key on the table"),
    Texts("The Earth moves around the", "The Moon moves around the"),
)

NEUTRAL: tuple[str, ...] = (
    "The meeting will begin in the afternoon and last about an hour.",
    "She put the book back on the shelf next to the window.",
    "Most of the shops in this street are open on Saturday.",
    "We walked along the river until it started to rain again.",
    "He opened the letter slowly and read it from beginning to end.",
    "There are several ways to cook rice without burning it.",
)
"""Sentences on unrelated subjects. Mean ablation uses the mean activation on these sentences."""
