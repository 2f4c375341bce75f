"""Remember the order of the choices of each question in a review."""

import random


class ChoiceOrders:
    """The seeds for the order of the choices in a review.

    The order of a question stays the same if the question comes back.
    """

    def __init__(self) -> None:
        self._seeds: dict[str, int] = {}

    def seed(self, question: str) -> int:
        """Return the seed for the question with this id."""
        return self._seeds.setdefault(question, random.getrandbits(32))

    def forget_all_but(self, question: str) -> None:
        """Choose new orders from now on, except for the question whose answer can be undone."""
        self._seeds = {each: seed for each, seed in self._seeds.items() if each == question}
