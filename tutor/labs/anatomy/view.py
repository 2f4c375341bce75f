"""Draws the lab of anatomy."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.labs.anatomy import precision_lines
from tutor.labs.anatomy.lab import (
    VIEWS,
    Measure,
    Move,
    Run,
    See,
    State,
    Stop,
)
from tutor.labs.anatomy.precisions import PRECISIONS
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import around, cursor
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.view import LabView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.anatomy.lab import Histogram, Inventory, Part

NAMES = {
    "embedding": "vocabulary",
    "head": "output table",
    "norms": "norms",
    "query": "query",
    "key": "key",
    "value": "value",
    "output": "attention out",
    "gate": "gate",
    "up": "up",
    "down": "down",
}


class AnatomyView(LabView):
    """Parameters by role, with the weights of one tensor; by layer; and with fewer bits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab", "view", "roles/layers/bits", tooltip="By role, by layer, or with fewer bits."
        ),
        Binding("up", "row(-1)", "row", key_display="↑↓", tooltip="Choose a row."),
        Binding("down", "row(1)", show=False),
        Binding(
            "left", "tensor(-1)", "tensor", key_display="←→", tooltip="The same in another layer."
        ),
        Binding("right", "tensor(1)", show=False),
        Binding("m", "measure", "parameters/bytes", tooltip="What the bars compare."),
        Binding("enter", "run", "round and read", tooltip="Read the text with so few bits."),
        Binding("x", "stop", "stop", tooltip="Stop reading. What is done is kept."),
        Binding("e", "edit", "write", tooltip="Compare on a text of your own."),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._began: tuple[int, int, float] | None = None
        """The bits that are being read with, the blocks done and the time when that began."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if state is None:
            return False
        if action == "tensor":
            return state.view == "roles"
        if action == "measure":
            return state.view != "precision"
        if action in ("run", "edit"):
            return state.view == "precision" and state.running is None
        if action == "stop":
            return state.running is not None
        return True

    def action_view(self) -> None:
        self.did(See(VIEWS[(VIEWS.index(self.state.view) + 1) % len(VIEWS)]))

    def action_row(self, by: int) -> None:
        self.did(Move(row=by))

    def action_tensor(self, by: int) -> None:
        self.did(Move(tensor=by))

    def action_measure(self) -> None:
        self.did(Measure(not self.state.nbytes))

    def action_run(self) -> None:
        self.did(Run(PRECISIONS[self.state.precision]))

    def action_stop(self) -> None:
        self.did(Stop())

    def action_edit(self) -> None:
        self.write("A text to compare on:", self.state.text, lambda text: EditText(sentence(text)))

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        if state.inventory is None:
            return [Content.styled("taking it apart …", MUTED)]
        match state.view:
            case "roles":
                return _roles(state, state.inventory, width, height)
            case "layers":
                return _layers(state, state.inventory, width, height)
            case "precision":
                errors = precision_lines.errors(state, width)
                room = height - len(errors) - 3 if height < 14 else len(PRECISIONS)
                return [
                    *precision_lines.table(state, state.inventory, width, room),
                    *([Content("")] if height >= 14 else []),
                    self._progress(state, width),
                    *errors,
                ]

    def _progress(self, state: State, width: int) -> Content:
        """How far the reading is, and how long it will still take."""
        progress = state.progress
        if progress is None:
            self._began = None
            more = f"  ({state.left_out} tokens left out)" if state.left_out else ""
            return Content.assemble(
                ("on  ", MUTED), figures.tail(state.text, width - 24), (more, MUTED)
            )
        bits, done, blocks = progress
        now = time.monotonic()
        if self._began is None or self._began[0] != bits:
            self._began = (bits, done, now)
        _, before, began = self._began
        left = (
            ""
            if done == before
            else f"  about {(now - began) / (done - before) * (blocks - done):.0f} s"
        )
        what = "32 bits first" if bits != state.running else f"{bits} bits"
        return Content.assemble(
            (f"{what}  block {done:>3} of {blocks}  ", MUTED),
            (bars.bar(done / blocks, max(4, min(20, width - 50))), ACT),
            (left, MUTED),
        )


def _mega(nbytes: float) -> str:
    return f"{nbytes / 1e6:.1f}" if nbytes >= 1e5 else f"{nbytes / 1e6:.2f}"


def _roles(state: State, inventory: Inventory, width: int, height: int) -> list[Content]:
    parts = inventory.parts
    every, size = sum(part.count for part in parts), sum(part.nbytes for part in parts)
    name, wide = 15, width >= 60
    bar = max(0, width - name - (45 if wide else 22) - 2)
    share = "of bytes" if state.nbytes else "of all"
    heading = f"  {'role':<{name}}{'parameters':>12}"
    heading += f"{'MB':>8}{'bits each':>11}{share:>9}" if wide else ""
    lines = [Content.styled(heading, MUTED)]
    low = height < len(state.roles) + 6
    for at in around(state.role, len(state.roles), height - 6 if low else len(state.roles)):
        role = state.roles[at]
        own = [part for part in parts if part.role == role]
        count, nbytes = sum(part.count for part in own), sum(part.nbytes for part in own)
        part_of_all = nbytes / size if state.nbytes else count / every
        chosen = at == state.role
        cells: list[str | tuple[str, str]] = [
            cursor(chosen),
            (figures.fit(NAMES.get(role, role), name), "bold" if chosen else ""),
            figures.count(count).rjust(12),
        ]
        if wide:
            cells += [
                _mega(nbytes).rjust(8),
                (f"{8 * nbytes / count:>11.1f}", MUTED),
                heat.percent(part_of_all).rjust(9),
            ]
        cells += ["  ", (bars.bar(part_of_all * 2, bar), likely(part_of_all))]
        lines.append(Content.assemble(*cells))
    total = f"  {'in all':<{name}}{figures.count(every):>12}"
    total += f"{_mega(size):>8}" if wide else ""
    if not low:
        lines += [Content.styled(total, MUTED), Content("")]
    tensor = state.looked_at
    assert tensor is not None
    rows = min(8, max(3, height - len(lines) - 3))
    found = state.histograms.get(tensor)
    return [*lines, *_tensor(parts[tensor], found, inventory, width, rows)]


def _tensor(
    part: Part, found: Histogram | None, inventory: Inventory, width: int, rows: int
) -> list[Content]:
    """One tensor: its shape and type, and how its weights are spread."""
    wide = width >= 60
    where = "" if part.layer is None else f"layer {part.layer + 1} of {inventory.layers}  "
    facts = f"{part.outputs:,} × {part.inputs:,}  {'kept as ' if wide else ''}{part.form}"
    if found is not None and found.looked_at < part.count:
        facts += f"  (weights of 1 row in {round(part.count / found.looked_at)})"
    title = Content.assemble(
        (NAMES.get(part.role, part.role), "bold"), "  ", (where, ""), (facts, MUTED)
    )
    if found is None:
        return [title, Content.styled("counting …", MUTED)]
    far = found.largest / found.typical
    said: list[str | tuple[str, str]] = [
        ("usual size " if wide else "usual ", MUTED),
        f"{found.typical:.4f}",
        ("  largest ", MUTED),
        f"{found.largest:.3f}",
        (f"  {far:.1f} times that" if wide else f"  {far:.1f}×", "bold" if far >= 10 else MUTED),
    ]
    if found.rounding is not None and width >= 70:
        said.append((f"  rounding cost about {100 * found.rounding:.0f} %", MUTED))
    lines = [title, Content.assemble(*said)]
    chart = _chart(found.counts, max(1, rows - 1))
    indent = max(0, min(4, width - len(found.counts) - 2))
    short = width < len(found.counts) + 2
    for row in chart:
        text = row[(len(row) - width) // 2 :][:width] if short else " " * indent + row
        lines.append(Content.styled(text, likely(0.3)))
    edge = f"{found.largest:.2f}"
    axis = f"−{edge}".ljust(len(found.counts) // 2) + "0" + edge.rjust(len(found.counts) // 2)
    note = "  (heights: logarithms)" if width >= 92 else ""
    if not short:
        lines.append(Content.styled(" " * indent + axis + note, MUTED))
    return lines


def _chart(counts: Sequence[int], rows: int) -> list[str]:
    """Columns as high as the logarithm of each count: far out there are few, and they matter."""
    most = math.log10(max(counts) + 1)
    heights = [math.log10(count + 1) / most * rows for count in counts]
    lines = []
    for row in range(rows):
        floor = rows - 1 - row
        lines.append(
            "".join(
                " "
                if height <= floor
                else bars.LEVELS[min(7, max(0, math.ceil((height - floor) * 8) - 1))]
                for height in heights
            )
        )
    return lines


def _layers(state: State, inventory: Inventory, width: int, height: int) -> list[Content]:
    """The tables, and what each block has: attention and feed-forward."""

    def figure(value: int) -> str:
        return f"{_mega(value)} MB" if state.nbytes else figures.count(value)

    rows: list[tuple[str, int, int]] = []
    for layer in (None, *range(inventory.layers)):
        forward = others = 0
        for part in inventory.parts:
            if part.layer == layer:
                value = part.nbytes if state.nbytes else part.count
                if part.role in ("gate", "up", "down"):
                    forward += value
                else:
                    others += value
        rows.append(("outside" if layer is None else f"layer {layer + 1}", others, forward))
    most = max(others + forward for _, others, forward in rows)
    bar = width - 42 if width >= 46 else 0
    lines = [Content.styled(f"  {'':<10}{'attention':>12}{'feed-forward':>14}", MUTED)]
    for at in around(state.layer + 1, len(rows), height - 3):
        label, others, forward = rows[at]
        chosen = at == state.layer + 1
        solid = bars.bar(others / most, bar).rstrip()
        rest = "▒" * max(0, round((others + forward) / most * bar) - len(solid))
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{label:<10}", "bold" if chosen else ""),
                f"{figure(others):>12}{figure(forward):>14}  ",
                (solid, likely(0.3)),
                (rest, MUTED),
            )
        )
    said = "█ attention, or the vocabulary outside   ▒ feed-forward"
    return [*lines, Content(""), Content.styled(said, MUTED)] if bar else lines


VIEW = AnatomyView
