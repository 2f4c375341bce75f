"""Draws the sampler bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import bars, figures
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import around, cursor
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, pair
from tutor.labs.kit.view import LabView
from tutor.labs.sampler.lab import Reorder, State
from tutor.lm.dials import is_off, value
from tutor.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.sampler.lab import Row
    from tutor.lm.dials import Dials, Stage, StepName

NAMES: dict[StepName, str] = {
    "repetition": "repetition penalty",
    "temperature": "temperature",
    "top-k": "top-k",
    "top-p": "top-p",
    "min-p": "min-p",
}
_TOKEN = 14
_LEAST_STAGES = 3
_LEAST_ROWS = 3
_WIDE = 66
"""From this many columns on there is room for how much each step removed."""


class SamplerView(LabView):
    """The steps in their order with what each leaves, and the rows before and after them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "move_focus(*, 'step')", "step", "Choose a step."),
        *pair(LEFT_RIGHT, "adjust(*, 'step')", "turn", "Turn the chosen step."),
        Binding("j", "reorder(1)", "later", tooltip="Apply the chosen step one place later."),
        Binding("k", "reorder(-1)", "earlier", tooltip="Apply the chosen step one place earlier."),
        Binding("o", "reset", "all off", tooltip="Every step off, in the usual order."),
        Binding("e", "edit", "write", tooltip="Write another text."),
    ]

    def action_reorder(self, by: int) -> None:
        self.did(Reorder(by))

    def action_edit(self) -> None:
        self.write("A text, for the model to go on with:", self.state.text, EditText)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        above = [_text(state, width), *_stages(state, width, max(_LEAST_STAGES, height - 2))]
        rows = max(_LEAST_ROWS, height - len(above) - 2)
        return [*above, *_rows(state, width, rows)]


def _text(state: State, width: int) -> Content:
    cut = f"{counted(state.left_out, 'character')} before it left out  " if state.left_out else ""
    end = figures.tail(state.text, max(8, width - len(cut)))
    return Content.assemble((cut, MUTED), (end, "bold"))


def _stages(state: State, width: int, rows: int) -> list[Content]:
    """The steps in their order, the one in focus among them where not all fit."""
    wide = width >= _WIDE
    name_width = max(12, min(20, width - 24))
    left = f"{'tokens left':>13}{'removed':>10}" if wide else f"{'left':>9}"
    heading = f"  {'step':<{name_width}}{'':>6}{left}{'bits':>7}"
    lines = [Content.styled(heading, MUTED)]
    for place in around(state.focus, len(state.order), rows):
        name = state.order[place]
        stage = state.answer.stages[place] if state.answer and state.known else None
        lines.append(_stage(name, stage, state.dials, place == state.focus, name_width, wide))
    return lines


def _stage(
    name: StepName, stage: Stage | None, dials: Dials, here: bool, name_width: int, wide: bool
) -> Content:
    off = is_off(dials, name)
    setting = "off" if off else f"{value(dials, name):g}"
    kept = figures.count(stage.kept) if stage else "…"
    removed = figures.percent(stage.removed_probability) if stage else ""
    entropy = f"{stage.entropy_bits:.2f}" if stage else ""
    return Content.assemble(
        cursor(here),
        (figures.fit(NAMES[name], name_width), "bold" if here else MUTED if off else ""),
        (f"{setting:>6}", f"{ACT} bold" if here else MUTED if off else ""),
        (f"{kept:>{13 if wide else 9}}", MUTED if off else ""),
        (f"{removed:>10}" if wide else "", MUTED if off or not removed else ""),
        (f"{entropy:>7}", MUTED if off else ""),
    )


def _rows(state: State, width: int, rows: int) -> list[Content]:
    answer = state.answer
    if answer is None:
        return [Content(""), Content.styled("The model reads the text.", MUTED)]
    bar = max(4, min(30, width - _TOKEN - 36))
    heading = f"     {'token':<{_TOKEN}}{'before':>9}{'after':>9}"
    lines = [Content(""), Content.styled(heading + f"   {'█ stays ▒ gained ╌ lost':<{bar}}", MUTED)]
    for rank, row in enumerate(answer.rows[:rows], start=1):
        lines.append(_row(rank, row, bar))
    return lines


def _row(rank: int, row: Row, bar: int) -> Content:
    gone = row.removed_by is not None
    solid, gained, rest = bars.change(row.before, row.after, bar)
    likely = theme.likely(row.after) if not gone else MUTED
    return Content.assemble(
        (f"{rank:>3}  ", MUTED),
        (figures.fit(visible(row.data) or "∅", _TOKEN), MUTED if gone else ""),
        (f"{figures.percent(row.before):>9}", MUTED),
        (f"{'×' if gone else figures.percent(row.after):>9}", MUTED if gone else ""),
        "   ",
        (solid, likely),
        (gained, likely),
        (rest, MUTED),
        (f" {row.removed_by}" if row.removed_by else "", MUTED),
    )


VIEW = SamplerView
