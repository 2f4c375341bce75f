"""The view of the "Sampler workbench" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app import theme
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import bars, figures
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import ROOMY, Cell, Column, around, heading, row
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair
from tutor.labs.kit.view import LabView, writes
from tutor.labs.sampler.lab import Reorder, Row, State
from tutor.language import _
from tutor.lm.dials import Stage, StepName, is_off, value
from tutor.text import counted, visible

NAMES: dict[StepName, str] = {
    "repetition": _("repetition penalty"),
    "temperature": _("temperature"),
    "top-k": _("top-k"),
    "top-p": _("top-p"),
    "min-p": _("min-p"),
}
_TOKEN = 14
_LEAST_STAGES = 3
_LEAST_ROWS = 3


class SamplerView(LabView):
    """A view of a sampler's steps in order, and of the probabilities of the most probable tokens.

    For each step, the view shows how many tokens are left after it.
    """

    BINDINGS: ClassVar[Keys] = [
        *pair(UP_DOWN, "move_focus(*, 'step')", "step", "Choose a step."),
        *pair(LEFT_RIGHT, "adjust(*, 'step')", "adjust", "Lower or raise the step's value."),
        key("j", "reorder(1)", "move later", "Move the step one position later."),
        key("k", "reorder(-1)", "move earlier", "Move the step one position earlier."),
        key("z", "reset", "reset", "Switch off all steps and restore the default order."),
        key("e", "edit", "edit", "Edit the text."),
    ]

    def action_reorder(self, by: int) -> None:
        self.did(Reorder(by))

    action_edit = writes(_("Text for the model to continue:"), EditText)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        above = [_text(state, width), *_stages(state, width, max(_LEAST_STAGES, height - 2))]
        rows = max(_LEAST_ROWS, height - len(above) - 2)
        return [*above, *_rows(state, width, rows)]


def _text(state: State, width: int) -> Content:
    cut = (
        _("{characters} left out  ").format(characters=counted(state.left_out, "character"))
        if state.left_out
        else ""
    )
    end = figures.tail(state.text, max(8, width - len(cut)))
    return Content.assemble((cut, MUTED), (end, "bold"))


def _stages(state: State, width: int, rows: int) -> list[Content]:
    """Return the steps in order. If not all of them fit, return those near the selected one."""
    wide = width >= ROOMY
    columns = [Column(_("step"), max(12, min(20, width - 24))), Column("", 6, right=True)]
    if wide:
        columns += [Column(_("tokens left"), 13, right=True), Column(_("removed"), 10, right=True)]
    else:
        columns.append(Column(_("left"), 9, right=True))
    columns.append(Column(_("bits"), 7, right=True))
    lines = [heading(columns)]
    for place in around(state.focus, len(state.order), rows):
        stage = state.answer.stages[place] if state.answer and state.known else None
        here = place == state.focus
        lines.append(row(columns, _stage(state, state.order[place], stage, here, wide), here=here))
    return lines


def _stage(state: State, name: StepName, stage: Stage | None, here: bool, wide: bool) -> list[Cell]:
    off = is_off(state.dials, name)
    muted = MUTED if off else ""
    setting = _("off") if off else f"{value(state.dials, name):g}"
    cells: list[Cell] = [
        (NAMES[name], "bold" if here else muted),
        (setting, f"{ACT} bold" if here else muted),
        (figures.count(stage.kept) if stage else "…", muted),
    ]
    if wide:
        cells.append((figures.percent(stage.removed_probability) if stage else "", muted))
    return [*cells, (f"{stage.entropy_bits:.2f}" if stage else "", muted)]


def _rows(state: State, width: int, rows: int) -> list[Content]:
    answer = state.answer
    if answer is None:
        return [Content(""), Content.styled(_("Processing the text…"), MUTED)]
    bar = max(4, min(30, width - _TOKEN - 36))
    names = f"     {_('token'):<{_TOKEN}}{_('before'):>9}{_('after'):>9}"
    lines = [Content(""), Content.styled(names + f"   {_('█ kept ▒ gained ╌ lost'):<{bar}}", MUTED)]
    for rank, each in enumerate(answer.rows[:rows], start=1):
        lines.append(_row(rank, each, bar))
    return lines


def _row(rank: int, each: Row, bar: int) -> Content:
    gone = each.removed_by is not None
    solid, gained, rest = bars.change(each.before, each.after, bar)
    likely = theme.likely(each.after) if not gone else MUTED
    return Content.assemble(
        (f"{rank:>3}  ", MUTED),
        (figures.fit(visible(each.data) or "∅", _TOKEN), MUTED if gone else ""),
        (f"{figures.percent(each.before):>9}", MUTED),
        (f"{'×' if gone else figures.percent(each.after):>9}", MUTED if gone else ""),
        "   ",
        (solid, likely),
        (gained, likely),
        (rest, MUTED),
        (f" {each.removed_by}" if each.removed_by else "", MUTED),
    )


VIEW = SamplerView
