"""Check patching against `transformers`, which reads the same GGUF file.

See tests/reference/make_patching.py. In exact arithmetic, both sides compute in 32-bit floats and
differ only in the order of their sums; as for plain logits, 1e-3 leaves room for other kernels. In
the default model's own number format, scales are rounded to bfloat16: a cell's share of the answer
differs by at most 3 percent.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.later import later
from tutor.lm.inspect.patching import PatchedRuns, Recording, outcomes
from tutor.lm.language_model import LanguageModel
from tutor.lm.patch import COMPONENTS, Column, Component

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "reference" / "patching.json").read_text(encoding="utf-8")
)
TOLERANCE = 1e-3
SHARE_TOLERANCE = 0.03


def patched(model: LanguageModel, component: Component) -> tuple[list[float], list[list[float]]]:
    """Return the logit differences of both runs, and of each patch: [positions or heads][layers].

    Single heads are patched at the last position.
    """
    a, b = (model.tokenizer.encode(text) for text in EXPECTED["texts"])
    first, second = (model.tokenizer.encode(answer)[0] for answer in EXPECTED["answers"])
    base = Recording(model.network, [a, b])
    base.advance(math.inf)
    places = [(at, 0) for at in range(len(a))]
    if component == "head":
        places = [(len(a) - 1, head) for head in range(model.card.heads)]
    columns = [Column(component, "other", *place) for place in places]
    runs = PatchedRuns(base, base.activations(1), columns, (first, second))
    runs.advance(math.inf)
    whole = [outcomes(base.logits(text)[None], first, second)[0] for text in (0, 1)]
    found = [[cell.difference for cell in column] for column in runs.results]
    return [each.difference for each in whole], found


@pytest.mark.parametrize("component", [COMPONENTS[0], *later(COMPONENTS[1:])])
def test_exact_patching(component: Component, exact_model: LanguageModel) -> None:
    whole, found = patched(exact_model, component)
    assert whole == pytest.approx([EXPECTED["a"], EXPECTED["b"]], abs=TOLERANCE)
    expected = EXPECTED["patched"][component]
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine == pytest.approx(theirs, abs=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("component", COMPONENTS)
def test_patching_as_learners_see_it(component: Component, language_model: LanguageModel) -> None:
    (a, b), found = patched(language_model, component)
    for mine, theirs in zip(found, EXPECTED["patched"][component], strict=True):
        shares = [(value - a) / (b - a) for value in mine]
        wanted = [(value - EXPECTED["a"]) / (EXPECTED["b"] - EXPECTED["a"]) for value in theirs]
        assert shares == pytest.approx(wanted, abs=SHARE_TOLERANCE)
