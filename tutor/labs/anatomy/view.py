"""The view of the "Anatomy of a model" lab."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.theme import MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.plot import upright
from tutor.labs.anatomy import precision_lines
from tutor.labs.anatomy.lab import VIEWS, Histogram, Inventory, Part, State
from tutor.labs.anatomy.precisions import PRECISIONS
from tutor.labs.kit import heat
from tutor.labs.kit.columns import Cell, Column, Room, around, heading, row
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair, run_and_stop, tab
from tutor.labs.kit.progress import at_pace
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, Offered, writes
from tutor.language import _

NAMES = {
    "embedding": _("embedding"),
    "head": _("output layer"),
    "norms": _("norms"),
    "biases": _("biases"),
    "positions": _("positions"),
    "query": _("query"),
    "key": _("key"),
    "value": _("value"),
    "output": _("attn. output"),
    "router": _("router"),
    "gate": _("gate"),
    "up": _("up"),
    "down": _("down"),
}


class AnatomyView(LabView):
    """The lab's widget, with views of all parameters, of one tensor, and of the rounding errors.

    The parameters are grouped by role in one view, and by layer in another.
    """

    BINDINGS: ClassVar[Keys] = [
        *tab("next_view(*)", "view", "Show the roles, layers or precisions."),
        *pair(UP_DOWN, "move_focus(*, 'row')", "row", "Choose a row."),
        *pair(LEFT_RIGHT, "move_focus(*, 'tensor')", "layer", "Choose the layer of the tensor."),
        key("b", "switch('bytes')", "bytes", "Switch between bytes and parameters."),
        *run_and_stop("r,enter", "run", _("Process the text with rounded weights.")),
        Binding("x", "stop", show=False),
        key("e", "edit", "edit", "Edit the text to process."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "move_focus:tensor": lambda state: state.view == "roles",
        "switch": lambda state: state.view != "precision",
        "edit": lambda state: state.running is None,
    }

    VIEWS = VIEWS

    def __init__(self) -> None:
        super().__init__()
        self._began: tuple[int, int, float] | None = None
        """The run that is being timed: its precision, the number of blocks that were finished when
        timing began, and the start time. None if no run is being timed."""

    action_edit = writes(_("Text to process:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if state.inventory is None:
            return [Content.styled(_("Loading the list of tensors…"), MUTED)]
        room = Room(width, height)
        match state.view:
            case "roles":
                return _roles(state, state.inventory, room)
            case "layers":
                return _layers(state, state.inventory, width, height)
            case "precision":
                errors = precision_lines.errors(state, room)
                rows = height - len(errors) - 3 if room.low else len(PRECISIONS)
                return [
                    *precision_lines.table(state, state.inventory, room, rows),
                    *([] if room.low else [Content("")]),
                    self._progress(state, width),
                    *errors,
                ]

    def _progress(self, state: State, width: int) -> Content:
        """Return a line with the progress of the current run, and the time left.

        If there is no run, the line shows the input text instead.
        """
        progress = state.progress
        if progress is None:
            self._began = None
            more = (
                _("  ({left_out} tokens left out)").format(left_out=state.left_out)
                if state.left_out
                else ""
            )
            return Content.assemble(
                (_("text  "), MUTED), figures.tail(state.text, width - 26), (more, MUTED)
            )
        bits, far = progress
        now = time.monotonic()
        if self._began is None or self._began[0] != bits:
            self._began = (bits, far.done, now)
        __, before, began = self._began
        each = None if far.done == before else (now - began) / (far.done - before)
        what = _("32 bits first") if bits != state.running else _("{bits} bits").format(bits=bits)
        return reading_line(what, at_pace(far.done, far.total, each), width)


def _mega(nbytes: float) -> str:
    return f"{nbytes / 1e6:.1f}" if nbytes >= 1e5 else f"{nbytes / 1e6:.2f}"


def _roles(state: State, inventory: Inventory, room: Room) -> list[Content]:
    parts = inventory.parts
    every, size = sum(part.count for part in parts), sum(part.nbytes for part in parts)
    columns = [Column(_("role"), 15), Column(_("parameters"), 12, right=True)]
    if room.roomy:
        columns += [
            Column(_("MB"), 8, right=True),
            Column(_("bits each"), 11, right=True),
            Column(_("of bytes") if state.nbytes else _("of total"), 9, right=True),
        ]
    bar = max(0, room.width - 2 - (60 if room.roomy else 37))
    lines = [heading(columns)]
    low = room.height < len(state.roles) + 6
    for at in around(state.role, len(state.roles), room.height - 6 if low else len(state.roles)):
        role = state.roles[at]
        own = [part for part in parts if part.role == role]
        count, nbytes = sum(part.count for part in own), sum(part.nbytes for part in own)
        part_of_all = nbytes / size if state.nbytes else count / every
        chosen = at == state.role
        cells: list[Cell] = [
            (NAMES.get(role, role), "bold" if chosen else ""),
            figures.count(count),
            _mega(nbytes),
            (f"{8 * nbytes / count:.1f}", MUTED),
            heat.percent(part_of_all),
        ]
        drawn = (bars.bar(part_of_all * 2, bar), likely(part_of_all))
        lines.append(row(columns, [*cells[: len(columns)], "  ", drawn], here=chosen))
    total = f"  {_('total'):<15}{figures.count(every):>12}"
    total += f"{_mega(size):>8}" if room.roomy else ""
    if not low:
        lines += [Content.styled(total, MUTED), Content("")]
    tensor = state.looked_at
    assert tensor is not None
    rows = min(8, max(3, room.height - len(lines) - 3))
    found = state.histograms.get(tensor)
    return [*lines, *_tensor(parts[tensor], found, inventory, room, rows)]


def _tensor(
    part: Part, found: Histogram | None, inventory: Inventory, room: Room, rows: int
) -> list[Content]:
    """Return a tensor's shape, its number format, and a histogram of its weights."""
    wide, width = room.roomy, room.width
    where = (
        ""
        if part.layer is None
        else _("layer {layer} of {layers}  ").format(layer=part.layer + 1, layers=inventory.layers)
    )
    facts = f"{part.outputs:,} × {part.inputs:,}  {_('stored as ') if wide else ''}{part.form}"
    if found is not None and found.looked_at < part.count:
        facts += _("  (1 in {count} rows counted)").format(
            count=round(part.count / found.looked_at)
        )
    title = Content.assemble(
        (NAMES.get(part.role, part.role), "bold"), "  ", (where, ""), (facts, MUTED)
    )
    if found is None:
        return [title, Content.styled(_("Counting the weights…"), MUTED)]
    far = found.largest / found.typical
    times = f"  {far:.1f} × typical" if wide else f"  {far:.1f}×"
    usual = Content.assemble(
        (_("typical size ") if wide else _("typical "), MUTED),
        f"{found.typical:.4f}",
        (_("  largest "), MUTED),
        f"{found.largest:.3f}",
        (times, "bold" if far >= 10 else MUTED),
    )
    if found.rounding is not None:
        error = _("  rounding error: about {rounding:.0f} %").format(rounding=100 * found.rounding)
        if usual.cell_length + len(error) <= width:
            usual += Content.styled(error, MUTED)
    lines = [title, usual]
    indent = max(0, min(4, width - len(found.counts) - 2))
    short = width < len(found.counts) + 2
    for level in _chart(found.counts, max(1, rows - 1)):
        text = level[(len(level) - width) // 2 :][:width] if short else " " * indent + level
        lines.append(Content.styled(text, likely(0.3)))
    if not short:
        edge, half = f"{found.largest:.2f}", len(found.counts) // 2
        axis = " " * indent + f"−{edge}".ljust(half) + "0" + edge.rjust(half)
        note = _("  (log scale)")
        axis += note if len(axis + note) <= width else ""
        lines.append(Content.styled(axis, MUTED))
    return lines


def _chart(counts: Sequence[int], rows: int) -> list[str]:
    """Return a bar chart on a log scale, so that bins with few weights are visible."""
    most = math.log10(max(counts) + 1)
    eighths = 8 * rows
    heights = [math.ceil(math.log10(count + 1) / most * eighths) / eighths for count in counts]
    return upright(heights, rows, 1)


def _layers(state: State, inventory: Inventory, width: int, height: int) -> list[Content]:
    """Return lines with the sizes of each block's attention and feed-forward network.

    The sizes of tensors that don't belong to a block are also included.
    """

    def figure(value: int) -> str:
        return _("{mega} MB").format(mega=_mega(value)) if state.nbytes else figures.count(value)

    sizes: Counter[tuple[int | None, bool]] = Counter()
    for part in inventory.parts:
        forward = part.role in ("router", "gate", "up", "down")
        sizes[part.layer, forward] += part.nbytes if state.nbytes else part.count
    layers = (None, *range(inventory.layers))
    most = max(sizes[layer, False] + sizes[layer, True] for layer in layers)
    columns = [
        Column("", 10),
        Column(_("attention"), 12, True),
        Column(_("feed-forward"), 14, True),
    ]
    bar = width - 42 if width >= 46 else 0
    lines = [heading(columns)]
    for at in around(state.layer + 1, len(layers), height - 3):
        others, after = sizes[layers[at], False], sizes[layers[at], True]
        here = at == state.layer + 1
        solid = bars.bar(others / most, bar).rstrip()
        rest = "▒" * max(0, round((others + after) / most * bar) - len(solid))
        name = (_("layer {at}").format(at=at) if at else _("outside"), "bold" if here else "")
        drawn = ("  ", (solid, likely(0.3)), (rest, MUTED))
        lines.append(row(columns, [name, figure(others), figure(after), *drawn], here=here))
    said = _("█ attention (“outside”: embedding)   ▒ feed-forward")
    return [*lines, Content(""), Content.styled(said, MUTED)] if bar else lines


VIEW = AnatomyView
