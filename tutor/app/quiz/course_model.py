"""Introduce an explanation that was written for another model than the one that is running.

The explanations of questions and predictions describe the default model. Another model, such as the
small bundled one, computes other numbers, which such an explanation can contradict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.models.installed import DEFAULT
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.course.questions.question import Question
    from tutor.lm.distribution import ModelCard


def is_course_model(model: ModelCard) -> bool:
    """Return True if this is the default model, possibly in another number format."""
    name = model.base_name.rpartition("/")[2]
    return model.sha256 == DEFAULT.sha256 or name.casefold() == DEFAULT.name.casefold()


def introduction(model: ModelCard | None, *, names: bool = False, filled: bool = False) -> str:
    """Return a line to show before an explanation, or "" if the default model is running.

    `model` is the running model, or None if none is loaded. If `names` is true, the line also says
    that this model computed the result. If `filled` is true, the explanation contains a number that
    this model computed.
    """
    if model is None or is_course_model(model):
        return ""
    here, course = safe(model.base_name), DEFAULT.name
    if filled:
        return _("This text was written for {course}. Only its number is from {here}:").format(
            course=course, here=here
        )
    written = _("With {course}, for which this text was written:").format(course=course)
    if not names:
        return written
    return _("This was computed by {here}. {written}").format(here=here, written=written)


def introduced(question: Question, model: ModelCard | None, computed: bool) -> str:
    """Return a line to show before the explanation of a question, or "" if it needs none.

    It needs one if the model grades the answers. `computed` is true if it has just graded one.
    """
    return introduction(model, names=computed) if question.asks_model else ""
