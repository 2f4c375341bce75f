"""The small bundled model, in 32-bit floats, and backends on it for tests of labs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tutor.labs.kit import registry
from tutor.labs.kit.backend import MOMENT, Backend, Tools, make_backend
from tutor.labs.kit.progress import Progress
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.models.installed import bundled_model

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.labs.kit.registry import AnyLab


@cache
def small_model() -> LanguageModel:
    found = bundled_model()
    assert found is not None
    return load_model(found, exact=True)


def backend(
    name: str, folder: Path, model: LanguageModel | None = None, *, moment: float = MOMENT
) -> Backend:
    return make_backend(name, tools(folder, model, moment=moment))


def tools(folder: Path, model: LanguageModel | None = None, *, moment: float = MOMENT) -> Tools:
    """Return the tools that a backend gets, with `model` or the small model."""
    return Tools(lambda: model or small_model(), lambda: None, folder, moment=moment)


def at_last(backend: Backend, question: Any) -> Any:
    """Send a request until the backend has finished, and return the answer."""
    while isinstance(answer := backend.answer(question), Progress):
        assert 0 < answer.done <= answer.total
    return answer


def settled(lab: AnyLab, state: Any, backend: Backend) -> Any:
    """Return the state after all requests are answered."""
    while (question := lab.question(state)) is not None:
        state = lab.receive(state, question, backend.answer(question))
    return state


def done(lab: str | AnyLab, backend: Backend, *actions: Any) -> Any:
    """Return the state of a lab after these actions, with all requests after each one answered."""
    lab = registry.find(lab) if isinstance(lab, str) else lab
    state = settled(lab, lab.start(), backend)
    for action in actions:
        state = settled(lab, lab.act(state, action), backend)
    return state
