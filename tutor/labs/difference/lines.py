"""The text of the "A against B" lab: the two sides, the divergence, and the next tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.layout import with_end
from tutor.labs.difference.questions import FEED_FORWARD, PRECISIONS
from tutor.labs.difference.state import VIEWS, View
from tutor.labs.difference.strip import LEGEND
from tutor.labs.kit import heat
from tutor.labs.kit.columns import ROOMY, Cell, as_many_as_fit, wrapped
from tutor.labs.kit.dials import DIALS, reading
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.progress_line import coming_line, progress_line, reading_line
from tutor.labs.kit.tabs import tabs
from tutor.language import _
from tutor.models.packed import short_path
from tutor.paths import model_folders
from tutor.text import safe, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.labs.difference.state import State
    from tutor.labs.kit.next_tokens.row import NextRow

_LEAST_TABLE = 4
"""The minimum height, in rows, at which the table of next tokens has a heading."""

NAMES: dict[View, str] = {
    "prompt": _("prompt"),
    "sampler": _("sampler"),
    "parts": _("parts"),
    "precision": _("precision"),
    "model": _("model"),
    "tuning": _("tuning"),
}


def views(state: State, width: int) -> Content:
    """Return a line with the names of the views."""
    return tabs(((NAMES[view], view == state.view) for view in VIEWS), width)


def side_a(state: State, width: int) -> Content:
    """Return a line that describes A."""
    model = state.setup.model if state.setup else ""
    if state.view == "tuning":
        return _written(state, 0, width)
    parts: list[Cell] = [("A  ", "bold"), figures.sampler(state.sampler)]
    if state.view == "prompt":
        parts = [("A  ", "bold"), figures.tail(state.a.text, width - 3), *_unless_plain(state)]
    if Content.assemble(*parts).cell_length + len(model) + 2 > width:
        return Content.assemble(*parts)
    return with_end(Content.assemble(*parts), Content.styled(f"  {model}", MUTED), width)


def _written(state: State, side: Literal[0, 1], width: int) -> Content:
    """Return a line with the text that the base model (0) or the instruct model (1) writes."""
    name, letter = ((_("base model"), "A"), (_("instruct model"), "B"))[side]
    cells: list[Cell] = [(f"{letter}  ", "bold"), (name, MUTED)]
    if state.setup is not None:
        said = visible(state.setup.written[side].encode())
        room = width - Content.assemble(*cells).cell_length - 2
        cells.append((f"  {figures.fit(said, min(room, cell_len(said)))}", ""))
    return Content.assemble(*cells)


def _unless_plain(state: State) -> list[Cell]:
    plain = state.sampler.plain
    return [] if plain else [(f"  {figures.sampler(state.sampler)}", MUTED)]


def side_b(state: State, width: int) -> Content:
    """Return a line that shows the setting in which B differs from A."""
    if state.view == "tuning":
        return _written(state, 1, width)
    cells = {
        "prompt": _prompt,
        "sampler": _dials,
        "parts": _parts,
        "precision": _precisions,
        "model": _models,
    }[state.view](state, width - 3)
    return Content.assemble(("B  ", "bold"), *cells)


def _prompt(state: State, width: int) -> list[Cell]:
    if state.b == state.a.text:
        return [(_("the same text"), MUTED)]
    return [figures.tail(state.b, max(8, width))]


def _dials(state: State, width: int) -> list[Cell]:
    wide = width >= ROOMY
    cells: list[Cell] = []
    for number, dial in enumerate(DIALS):
        here = number == state.dial
        if not (here or wide):
            continue
        cells += [
            ("› " if here else "  ", f"{ACT} bold"),
            (f"{dial.name} ", "bold" if here else MUTED),
            (f"{reading(state.sampler_b, dial)} ", f"{ACT} bold" if here else ""),
        ]
    if not wide:
        cells.append((f" {state.dial + 1}/{len(DIALS)}", MUTED))
    return cells


def _parts(state: State, width: int) -> list[Cell]:
    setup, focus = state.setup, state.focus
    if setup is None:
        return []
    head = _("head {head} of {heads}").format(head=focus.head + 1, heads=setup.heads)
    off = focus in state.parts
    wide = width >= ROOMY
    cells: list[Cell] = [
        ("› ", f"{ACT} bold"),
        (_("layer {layer} of {layers}  ").format(layer=focus.layer + 1, layers=setup.layers), ""),
        (_("feed-forward") if focus.head == FEED_FORWARD else head, ""),
        (_("  off") if off else _("  on "), f"{NOT_YET} bold" if off else MUTED),
        (_("   b: strongest here") if wide else "", MUTED),
    ]
    if not state.parts:
        return [*cells, (_("   nothing is off"), MUTED)] if wide else cells
    room = width - Content.assemble(*cells).cell_length
    names = figures.as_many_as_fit(_("   off: "), (part.name for part in state.parts), room)
    return [*cells, (names, "")]


def _precisions(state: State, width: int) -> list[Cell]:
    cells: list[Cell] = [(_("weights rounded to "), MUTED)] if width >= ROOMY else []
    for number, bits in enumerate(PRECISIONS):
        here = number == state.precision
        cells += [("›" if here else " ", f"{ACT} bold"), (f"{bits} ", "bold" if here else MUTED)]
    return [*cells, (_("bits"), MUTED)]


def _models(state: State, width: int) -> list[Cell]:
    names = state.others or ()
    if not names:
        return [(_("none yet") if state.others is None else _("no other model"), MUTED)]
    cells: list[Cell] = []
    for name in (None, *names):
        here = name == state.other
        cells += [
            ("› " if here else "  ", f"{ACT} bold"),
            (f"{name or _('none')}  ", "bold" if here else MUTED),
        ]
    return cells


def at_focus(state: State, width: int) -> Content:
    """Return a line with the selected position, and the divergence there in both directions."""
    setup, here = state.setup, state.here
    if setup is None:
        return Content("")
    place = setup.places[state.at]
    token, other = setup.tokens_a[place.a - 1], setup.tokens_b[place.b - 1]
    number = _("{number} of {count}  ").format(number=place.a, count=len(setup.tokens_a))
    after: list[Cell] = [
        (_("after "), MUTED),
        (number if width >= ROOMY else "", MUTED),
        (_("(p/n)  ") if width >= ROOMY and state.view in ("sampler", "parts") else "", MUTED),
        (figures.shown(token), "bold"),
    ]
    if other.id != token.id:
        after.append((_("  B: {token}").format(token=figures.shown(other)), ""))
    if here is None:
        return Content.assemble(*after)
    return with_end(Content.assemble(*after), _both(here.bits, here.reverse_bits, width), width)


def _both(bits: float, reverse_bits: float, width: int) -> Content:
    wide = width >= ROOMY
    return Content.assemble(
        (_("  KL(A‖B) ") if wide else "  ", MUTED),
        (figures.bits(bits).rjust(5), "bold"),
        (_(" bits") if wide else "", "bold"),
        (_("   KL(B‖A) ") if wide else " / ", MUTED),
        (figures.bits(reverse_bits).rjust(5 if wide else 1), ""),
        (_(" bits"), MUTED),
    )


def totals(state: State, width: int) -> Content:
    """Return a line with the total and mean divergence, and the position where it is largest.

    While the comparison is incomplete, the line shows its progress.
    """
    setup = state.setup
    if state.scanning and state.complete and state.view == "parts":
        progress = Progress(len(state.scan), state.part_count)
        return progress_line(progress, width, _("parts"), _("Measuring"))
    if state.view == "model" and state.others is None:
        return Content.styled(_("Comparing the vocabularies of the installed models…"), MUTED)
    if isinstance(state.progress, Progress):
        return reading_line(_("Processing"), state.progress, width)
    if state.progress is not None:
        return coming_line(state.progress, width)
    if setup is None or not state.compared:
        return Content.styled(_("Processing…"), MUTED)
    if not state.complete:
        progress = Progress(len(state.compared), len(state.places))
        return progress_line(progress, width, _("tokens"), _("Comparing"))
    if state.same:
        return _unchanged(state, width)
    count = len(state.compared)
    total, reverse = state.total_bits
    most = setup.places[state.largest]
    groups: list[list[Cell]] = [
        [
            (_("total "), MUTED),
            (figures.bits(total), "bold"),
            (_(" mean ") if width < ROOMY else _(" bits, mean "), MUTED),
            (figures.bits(total / count), ""),
        ],
        [
            (_("   B‖A "), MUTED),
            (figures.bits(reverse), ""),
            (_(", mean "), MUTED),
            (figures.bits(reverse / count), ""),
        ],
    ]
    if total:
        token = figures.shown(setup.tokens_a[most.a - 1])
        groups.append([(_("   most after "), MUTED), (token, "")])
    return Content.assemble(*as_many_as_fit(groups, width))


def left_out(state: State, width: int) -> list[Content]:
    """Return a line that says how much of the texts is compared, or [] if nothing was cut."""
    setup = state.setup
    if setup is None or not setup.left_out:
        return []
    left_out_a = setup.left_out - setup.left_out_b
    said: list[str] = []
    for name, tokens, cut in (
        ("A", setup.tokens_a, left_out_a),
        ("B", setup.tokens_b, setup.left_out_b),
    ):
        if cut:
            numbers = {"shown": len(tokens), "count": len(tokens) + cut, "name": name}
            if said:
                said.append(_(", {shown} of {count} of {name}").format(**numbers))
            elif state.view == "prompt":
                words = _("Compared: the first {shown} of {count} tokens of {name}")
                said.append(words.format(**numbers))
            else:
                said.append(_("Compared: the first {shown} of {count} tokens").format(**numbers))
    return [Content.assemble(*as_many_as_fit([[(each, NOT_YET)] for each in said], width))]


def _unchanged(state: State, width: int) -> Content:
    """Return a line for a comparison of A with itself, which says how to change B."""
    said = {
        "prompt": (
            _("A and B are the same."),
            _(" Press e to edit B's text"),
            _(", or Tab for other changes."),
        ),
        "sampler": (_("A and B are the same."), _(" Press ← or → to change a setting of B.")),
        "parts": (
            _("A and B are the same."),
            _(" Press Enter to switch a part off"),
            _(", or b for the strongest."),
        ),
        "precision": (
            _("A and B are the same."),
            _(" The weights already have this precision."),
            _(" Press ↑ or ↓."),
        ),
    }[state.view]
    return Content.assemble(*as_many_as_fit([[(each, "")] for each in said], width))


def rows(state: State, width: int, height: int) -> list[Content]:
    """Return the table of next tokens at the selected position, with their probabilities.

    If there is little room, the table has no heading.
    """
    name = min(16, max(8, width // 5))
    bar = max(0, width - name - 32)
    ordered = _("by change") if state.order == "change" else _("by probability in A")
    title = f"  {_('next token'):<{name}}{'A':>8}  {'B':>8}{_('change'):>9}"
    lines = [Content.styled(figures.fit(title, 29 + name), MUTED)]
    if bar >= len(ordered):
        lines = [lines[0] + Content.styled(f"   {ordered}", MUTED)]
    if height < _LEAST_TABLE:
        lines = []
    found = state.rows[: max(1, height - len(lines))]
    return [*lines, *(_row(row, name, bar) for row in found)]


def _row(row: NextRow, name: int, bar: int) -> Content:
    change = row.after - row.before
    arrow = "▲" if change > 0 else "▼" if change < 0 else " "
    points = f"{100 * change:+.1f}".replace("-", "−") if abs(change) >= 0.0005 else "0.0"
    cells: list[Cell] = [
        "  ",
        figures.fit(figures.shown(row.token), name),
        (heat.percent(row.before).rjust(8), MUTED),
        (" →", MUTED),
        (heat.percent(row.after).rjust(8), "bold"),
        (points.rjust(7), ""),
        f" {arrow}",
    ]
    if bar > 4:
        solid, gained, rest = bars.change(row.before, row.after, bar - 2)
        style = likely(max(row.before, row.after))
        cells += ["  ", (solid, style), (gained, style), (rest, MUTED)]
    return Content.assemble(*cells)


def without_b(state: State, width: int) -> Iterator[Content]:
    """Yield lines that explain why there is no B: it can't be computed, or isn't chosen yet."""
    for said in _missing(state):
        yield from wrapped(Content.styled(said, MUTED), width)


def _missing(state: State) -> Sequence[str]:
    if state.refused is not None:
        return [state.refused]
    if state.others:
        return [_("Choose a model for B (↑↓). It is loaded in addition to A's model.")]
    return [
        _("No other installed model has the same vocabulary."),
        _(
            "Copy one, such as the base model of a chat model, into the folder {folder}. "
            "Then open this view again."
        ).format(folder=safe(short_path(model_folders()[0]))),
    ]


def legend(width: int) -> Content:
    """Return the legend of the bars."""
    return Content.styled(LEGEND, MUTED) if width >= ROOMY else Content("")
