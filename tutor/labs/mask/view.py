"""The view of the "Without the causal mask" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.labs.kit import heat
from tutor.labs.kit.columns import ROOMY, WIDE, around, beside, cursor
from tutor.labs.kit.keys import UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, writes
from tutor.labs.mask.lab import VIEWS, Reading, State
from tutor.language import _

_BITS = 8
_TABLE = 76
"""The width of the table, in columns, when the attention map is shown to its right."""


class MaskView(LabView):
    """A view of each token's surprisal with and without the mask, or of the attention map."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        key("m", "switch('mask')", "mask", "Switch the causal mask on or off."),
        key("e", "edit", "edit", "Edit the text."),
        *tab("next_view(*)", "view", "Show each token's surprisal, or the attention map."),
        *pair(UP_DOWN, "move_focus(*, 'token')", "token", "Choose a token."),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "next_view" or self.size.width < WIDE

    action_edit = writes(_("Text:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if not state.readings:
            return [reading_line(_("Processing"), state.progress, width)]
        above = _summary(state)
        below = _said(state, width)
        rows = max(3, height - len(above) - len(below) - 2)
        if width >= WIDE:
            table = _table(state, _TABLE, rows)
            shown = beside(table, _map(state, width - _TABLE - 4, rows), _TABLE + 4)
        else:
            shown = (_table if state.view == "table" else _map)(state, width, rows)
        return [*above, *shown, Content(""), *below]


def _summary(state: State) -> list[Content]:
    parts: list[str | tuple[str, str]] = []
    for hide, name in ((True, _("with the mask")), (False, _("without"))):
        reading = state.readings.get(hide)
        cost = "…" if reading is None else f"{reading.mean_bits:.2f}"
        mark = "›" if hide == state.hide else " "
        parts += [
            (mark, f"{ACT} bold"),
            (f"{name} ", "bold" if hide == state.hide else MUTED),
            (f"{cost:>5}", "bold" if hide == state.hide else ""),
            ("  ", ""),
        ]
    parts.append((_("bits per token"), MUTED))
    lines = [Content.assemble(*parts)]
    known = next(iter(state.readings.values()))
    if known.left_out:
        kept = _("{count} tokens used, {left_out} left out").format(
            count=len(known.tokens), left_out=known.left_out
        )
        lines.append(Content(kept))
    return lines


def _table(state: State, width: int, rows: int) -> list[Content]:
    tokens = state.tokens
    name = min(11, max(7, (width - 25) // 4))
    with_, without = state.readings.get(True), state.readings.get(False)
    roomy = width >= ROOMY
    bar = width - 40 - 3 * name
    bar = min(bar, 24) if roomy and bar >= 6 else 0
    heading = (
        f"{'':5}{_('token'):<{name}}  "
        f"{_('next'):<{name}}{_('mask'):>{_BITS}}{_('no mask'):>{_BITS}}"
    )
    if roomy:
        heading += f"  {_('predicted'):<{name + 1}}{_('looks ahead'):>12}"
    lines = [Content.styled(heading, MUTED)]
    shown = state.shown
    for at in around(state.focus, len(state.tokens), rows):
        chosen, last = at == state.focus, at == len(tokens) - 1
        following = "?" if last else figures.shown(tokens[at + 1])
        cells: list[str | tuple[str, str]] = [
            cursor(chosen),
            (f"{at + 1:>2} ", MUTED),
            (figures.fit(figures.shown(tokens[at]), name), "bold" if chosen else ""),
            "  ",
            figures.fit(following, name),
            (_cost(with_, at).rjust(_BITS), "" if state.hide else MUTED),
            (_cost(without, at).rjust(_BITS), MUTED if state.hide else ""),
        ]
        if roomy and shown is not None:
            best = figures.fit(figures.shown(shown.best[at]), name + 1)
            cells += ["  ", (best, likely(shown.chances[at]))]
            share = shown.ahead(at)
            cells.append(heat.percent(share).rjust(12))
            if bar:
                cells += ["  ", (bars.bar(share, bar), likely(share))]
        lines.append(Content.assemble(*cells))
    return lines


def _cost(reading: Reading | None, at: int) -> str:
    if reading is None:
        return "…"
    return figures.bits(reading.bits[at]) if at < len(reading.bits) else ""


def _map(state: State, width: int, rows: int) -> list[Content]:
    reading = state.shown
    if reading is None:
        return [reading_line(_("Processing"), state.progress, width)]
    tokens = state.tokens
    name = min(12, max(6, width // 6))
    room = width - name - 6
    wide = 2 if 2 * len(tokens) <= room else 1
    columns = range(min(len(tokens), room // wide))
    numbers = "".join(f"{(at + 1) % 10:<{wide}}" for at in columns)
    lines = [Content.styled(" " * (name + 6) + numbers + _(" (all heads)"), MUTED)]
    for at in around(state.focus, len(state.tokens), rows):
        row = reading.row(at)
        hidden = (" " * wide, "")
        cells = [
            hidden if state.hide and column > at else heat.cell(row[column], wide)
            for column in columns
        ]
        lines.append(
            Content.assemble(
                cursor(at == state.focus),
                (f"{at + 1:>2} ", MUTED),
                figures.fit(figures.shown(tokens[at]), name),
                " ",
                *cells,
            )
        )
    return lines


def _said(state: State, width: int) -> list[Content]:
    """Return one or two lines that explain the results."""
    lines = []
    if state.shown is None and state.view == "table":
        lines.append(reading_line(_("Processing"), state.progress, width))
    elif state.view == "map":
        lines.append(Content.styled(heat.LEGEND, MUTED))
    elif len(state.readings) == 2:
        before, after = (state.readings[hide].mean_bits for hide in (True, False))
        if after < before:
            said = _("Lower surprisal: each token sees the next one and can copy it.")
            short = _("Lower: it copies the next token.")
        else:
            said = _("Higher surprisal: the model was never trained without the mask.")
            short = _("Higher: it was never trained for this.")
        lines.append(Content.styled(said if width >= ROOMY else short, MUTED))
    elif state.hide:
        said = _("Press m to remove the mask. What will happen to the surprisal?")
        short = _("Press m to remove the mask.")
        lines.append(Content.styled(said if width >= ROOMY else short, MUTED))
    if width >= WIDE:
        lines.append(Content.styled(heat.LEGEND, MUTED))
    moved = [(name, state.moved(hide)) for hide, name in ((True, "mask"), (False, _("no mask")))]
    if state.shared >= 2 and any(count is not None for __, count in moved):
        parts = [f"{name} {'…' if count is None else count}" for name, count in moved]
        start = _("Changed predictions in the shared prefix:  ")
        lines.append(
            Content.assemble(
                (start if width >= ROOMY else _("changed:  "), MUTED), "  ".join(parts)
            )
        )
    return lines


VIEW = MaskView
