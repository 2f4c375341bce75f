"""The rungs of the ladder of scale: what models were made of."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tutor.labs.scale.published import MODELS, PUBLISHED_BYTES, SMOLLM2_TOKENS, training_compute
from tutor.labs.scale.questions import Reading
from tutor.vendors.catalogue import RemoteModel


class Rung(msgspec.Struct, frozen=True):
    """A model on the ladder. What is not known is None; `elsewhere` nobody tells."""

    name: str
    parameters: int | None
    bytes: int | None
    tokens: int | None
    compute: float | None
    source: str
    estimate: bool = False
    here: bool = False
    elsewhere: bool = False


_SOURCES: dict[int | None, str] = {
    None: "weights and bytes as counted; how many tokens it read is not known here",
    SMOLLM2_TOKENS: "weights and bytes as counted; the tokens are those of its model card",
}


_NOBODY_TELLS = "a server tells what may come next, and nothing of what it is made of"


def rungs(readers: Iterable[Reading], server: RemoteModel | None) -> tuple[Rung, ...]:
    """The models at hand, the `readers`, and the one elsewhere; then those that one reads
    about, from the least compute to the most, before them those of which it is not known."""
    at_hand = [
        Rung(
            reading.name,
            reading.parameters,
            reading.size,
            reading.trained_on,
            training_compute(reading.parameters, reading.trained_on),
            _SOURCES.get(
                reading.trained_on, "weights and bytes as counted; tokens as its training noted"
            ),
            here=True,
        )
        for reading in readers
    ]
    if server is not None:
        at_hand.append(Rung(server.name, None, None, None, None, _NOBODY_TELLS, elsewhere=True))
    others = []
    for model in MODELS:
        size = PUBLISHED_BYTES * model.parameters if model.parameters else None
        compute = model.compute or training_compute(model.parameters, model.tokens)
        others.append(
            Rung(
                f"{model.name} ({model.year})", model.parameters, size, model.tokens, compute,
                model.source, model.estimate,
            )
        )  # fmt: skip
    return (*at_hand, *sorted(others, key=lambda rung: rung.compute or 0.0))
