"""The text of the precision view, which compares the predictions at different precisions."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET, likely
from tutor.app.widgets import bars
from tutor.labs.anatomy.lab import Inventory, State
from tutor.labs.anatomy.precisions import MATRICES, PRECISIONS
from tutor.labs.kit import heat
from tutor.labs.kit.columns import Cell, Column, Room, around, heading, row
from tutor.language import _


def table(state: State, inventory: Inventory, room: Room, rows: int) -> list[Content]:
    weights = sum(
        part.count
        for part in inventory.parts
        if part.layer is not None and part.role not in ("norms", "biases")
    )
    size = 13 if room.roomy else 11
    columns = [
        Column(_("bits"), 4, right=True),
        Column(_("MB"), 8, right=True),
        Column(_("divergence"), size, right=True),
        Column(_("same token") if room.roomy else _("same"), size, right=True),
    ]
    if room.roomy:
        columns.append(Column(_("bits/token"), 14, right=True))
    lines = [heading(columns)]
    bar = max(0, room.width - 58)
    for at in around(state.precision, len(PRECISIONS), rows):
        bits = PRECISIONS[at]
        reading, chosen = state.reading(bits), at == state.precision
        result = reading.result
        cells: list[Cell] = [(str(bits), "bold" if chosen else ""), f"{weights * bits / 8e6:.1f}"]
        if not reading.possible:
            cells.append((_("   not available on this machine or for this model"), NOT_YET))
        elif result is None:
            said = (
                _("{done} of {layers} blocks").format(done=reading.done, layers=inventory.layers)
                if reading.done
                else _("press r")
            )
            cells.append((f"{said:>{2 * size}}", MUTED))
        else:
            places = 4 if result.divergence < 0.1 else 2
            cells += [(f"{result.divergence:.{places}f}", "bold"), heat.percent(result.same)]
            if room.roomy:
                drawn = (bars.bar(result.bits / 20, bar), likely(0.3))
                cells += [f"{result.bits:.2f}", "  ", drawn]
        lines.append(row(columns[: len(cells)], cells, here=chosen))
    return lines


def errors(state: State, room: Room) -> list[Content]:
    """Return a table of the rounding errors at the selected precision.

    The table has a row for each of the four kinds of matrix, and a column for each layer.
    """
    bits = PRECISIONS[state.precision]
    by_layer = state.reading(bits).errors
    known = _rounded_before(state, room.width)
    if state.precision == 0 or not by_layer:
        said = _("divergence from the distribution at 32 bits, in bits per token")
        return [Content.styled(said, MUTED), *known] if room.roomy else []
    lines = [Content.styled(_("rounding error at {bits} bits, by layer").format(bits=bits), MUTED)]
    highest = max(max(of_layer) for of_layer in by_layer) or 1
    for place, name in enumerate(MATRICES):
        values = [of_layer[place] for of_layer in by_layer]
        worst = max(range(len(values)), key=values.__getitem__)
        shape = "".join(bars.LEVELS[min(7, int(8 * value / highest))] for value in values)
        lines.append(
            Content.assemble(
                (f"  {name:<16}", ""),
                f"{100 * sum(values) / len(values):>7.2f} %",
                (
                    _("  worst in layer {worst:>2}  ").format(worst=worst + 1)
                    if room.roomy
                    else "  ",
                    MUTED,
                ),
                (shape[: max(0, room.width - 44)], likely(0.3)),
            )
        )
    return [*lines, *known]


def _rounded_before(state: State, width: int) -> list[Content]:
    """Return a note if the model file is quantized.

    In this case, the weights contain rounding errors even before this lab rounds them.
    """
    format_ = "" if state.inventory is None else state.inventory.format
    said = _("The file is already quantized ({format}). Its rounding error isn't included.").format(
        format=format_
    )
    if not format_.startswith("Q") or len(said) > width:
        return []
    return [Content(""), Content.styled(said, MUTED)]
