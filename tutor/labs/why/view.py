"""The view of the lab "Why this token?"."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.spoken import part as named
from tutor.app.theme import ACT, MUTED, NOT_YET, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.clicks import focusing
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import Cell, Room, around, cursor, wrapped
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.progress_line import progress_line, reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.labs.why.lab import (
    VIEWS,
    Contrast,
    Explain,
    ShowHead,
    State,
    added_word,
)
from tutor.language import _
from tutor.lm.attribution import DISAGREE, Attribution, Contribution, Part
from tutor.text import counted

_NUMBER = 7
_SHORTEST_BAR, _LONGEST_BAR = 4, 24
"""The minimum and maximum length of a bar on one side of the axis, in columns."""
_ABOUT_LINES = {True: 2, False: 4}
"""The number of lines for the sentences about a token, on a roomy screen and on a narrow one."""
_ROUNDED = 0.005
"""The smallest number that is not displayed as 0.00."""


class WhyView(LabView):
    """A view of the next tokens, the parts that produced a logit, or the tokens they used."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        key("enter", "explain", "explain", "Explain the logit of the selected token."),
        key("enter", "show_head", "its tokens", "Show from which tokens the head takes that."),
        key("c", "contrast", "against", "Explain it rather than the selected token, or alone."),
        *tab("next_view(*)", "view", "Show next tokens, parts, their map, one head, or the text."),
        *pair(UP_DOWN, "move_focus(*, 'row')", "row", "Choose a token."),
        *pair(UP_DOWN, "move_focus(*, 'rank')", "part", "Choose a part of the network."),
        *pair(UP_DOWN, "move_focus(*, 'part')", "head", "Choose a head, or the feed-forward."),
        *pair(UP_DOWN, "move_focus(*, 'token')", "token", "Choose a token of the text."),
        *pair(LEFT_RIGHT, "move_focus(*, 'layer')", "layer", "Choose a layer."),
        *pair(LEFT_RIGHT, "next_part(*)", "next part", "Show the next part in the ranking."),
        key("a", "add", "add", "Add a token to the table."),
        key("x", "choose(1, 'example')", "example", "Load another example."),
        key("e", "edit", "edit", "Edit the text."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "explain": lambda state: state.view == "next",
        "contrast": lambda state: state.view == "next",
        "add": lambda state: state.view == "next",
        "show_head": lambda state: state.view in ("parts", "map") and _is_head(state),
        "move_focus:row": lambda state: state.view == "next",
        "move_focus:rank": lambda state: state.view == "parts",
        "move_focus:part": lambda state: state.view == "map",
        "move_focus:layer": lambda state: state.view == "map",
        "move_focus:token": lambda state: state.view in ("head", "tokens"),
        "next_part": lambda state: state.view == "head",
    }

    action_edit = writes(_("Text for the model to continue:"), edit_sentence)
    action_explain = does(Explain)
    action_contrast = does(Contrast)
    action_show_head = does(ShowHead)

    def action_next_part(self, by: int) -> None:
        self.action_move_focus(by, "rank")

    def action_add(self) -> None:
        """Open a field for a token that the table should contain."""
        self.write(
            _("A token, such as ␣London:"), "", lambda text: EditText(added_word(text), "token")
        )

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if state.candidates is None:
            return [reading_line(_("Processing"), state.progress, width)]
        above = _heading(state, Room(width, height))
        room = Room(width, height - len(above))
        if state.view == "next":
            return [*above, *_next(state, room)]
        if state.split is None:
            return [*above, reading_line(_("Splitting the logit"), None, width)]
        draw = {"parts": _parts, "map": _map, "head": _head, "tokens": _tokens}[state.view]
        return [*above, *draw(state, state.split, room)]


def _is_head(state: State) -> bool:
    """Return True if the selected part is a head. The other parts use only the last token."""
    return state.selected is not None and state.selected.part.head is not None


def _heading(state: State, room: Room) -> list[Content]:
    """Return the text, the logit that is explained, and the tabs of the views."""
    candidates, explained = state.candidates, state.candidate(state.explained)
    assert candidates is not None
    assert explained is not None
    against = state.candidate(state.against)
    after = figures.tail(state.text, room.width - 1)
    if candidates.left_out:
        after = _("{after}  ({count} left out)").format(
            after=figures.tail(state.text, room.width - 18),
            count=counted(candidates.left_out, "token"),
        )
    why: list[Cell] = [
        (_("why ") if room.roomy else "", MUTED),
        (figures.shown(explained.token), f"{ACT} bold"),
    ]
    if against is None:
        why += [(_("   logit "), MUTED), (f"{explained.logit:.2f}", "bold")]
    else:
        between = f"{explained.logit:.2f} − {against.logit:.2f} = " if room.roomy else ""
        why += [
            (_(" rather than ") if room.roomy else _(" not "), MUTED),
            (figures.shown(against.token), f"{ACT} bold"),
            (_("   logit ") + between if room.roomy else "  ", MUTED),
            (f"{state.logit:+.2f}", "bold"),
        ]
    lines = [Content.assemble(*why), _tabs(state)]
    return lines if room.low else [Content.styled(after, MUTED), *lines]


def _tabs(state: State) -> Content:
    names = {
        "next": _("next"),
        "parts": _("parts"),
        "map": _("map"),
        "head": _("head"),
        "tokens": _("text"),
    }
    return tabs((names[view], view == state.view) for view in VIEWS).rstrip()


def _next(state: State, room: Room) -> list[Content]:
    """Return the table of next tokens, with marks at the explained tokens."""
    found = state.candidates
    assert found is not None
    name = max(8, min(16, room.width // 5))
    bar = max(0, min(_LONGEST_BAR, room.width - name - 38))
    lines, below = [], []
    if state.against is None and room.roomy and not room.low:
        said = _("Press c on another token to explain the difference between the two logits.")
        below = [Content(""), Content.styled(said, MUTED)]
    if not room.low:
        text = f"  {_('next token'):<{name}}{_('probability'):>12}{_('logit'):>9}"
        lines.append(Content.styled(text if room.roomy else "", MUTED))
    for at in around(state.row, len(found.rows), max(1, room.height - len(lines) - len(below))):
        row, chosen = found.rows[at], at == state.row
        mark = ""
        if row.token == state.explained:
            mark = _("explained") if room.roomy else _("why")
        elif row.token == state.against:
            mark = _("rather than") if room.roomy else _("not")
        lines.append(
            Content.assemble(
                cursor(chosen),
                (figures.fit(figures.shown(row.token), name), "bold" if mark else ""),
                heat.percent(row.probability).rjust(12 if room.roomy else 9),
                (f"{row.logit:>9.2f}", MUTED),
                "  ",
                (bars.bar(row.probability, bar), likely(row.probability)),
                " " if bar else "",
                (mark, ACT),
            )
        )
    return [*(lines if room.roomy or room.low else lines[1:]), *below]


def _parts(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return the ranking of all parts by the size of their contributions."""
    ranking, selected = state.ranking, state.selected
    assert selected is not None
    below = [] if room.low else [Content(""), _sum(state, split, room)]
    widest = abs(ranking[0].logits) or 1.0
    name = 31 if room.roomy else 17
    half = _half(room.width - name - _NUMBER - 11)
    lines = []
    focus = ranking.index(selected)
    for at in around(focus, len(ranking), max(1, room.height - len(below))):
        each, chosen = ranking[at], at == focus
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{at + 1:>3} ", MUTED),
                (figures.fit(_name(each.part, room), name), "bold" if chosen else ""),
                *_signed(each.logits, widest, half),
            )
        )
    return [*lines, *below]


def _name(part: Part, room: Room) -> str:
    if room.roomy:
        return named(part)
    if part.layer is None:
        return _("embedding")
    kind = _("ffwd") if part.head is None else _("head {head}").format(head=part.head + 1)
    return _("layer {layer} {kind}").format(layer=part.layer + 1, kind=kind)


def _half(columns: int, longest: int = _LONGEST_BAR) -> int:
    """Return the length of a bar on one side of the axis, given the columns for both sides.

    It is 0 if the bar would be too short to compare.
    """
    half = min(longest, columns // 2)
    return half if half >= _SHORTEST_BAR else 0


def _signed(logits: float, widest: float, half: int) -> list[Cell]:
    """Return a number with its sign, and a bar to the left or to the right of an axis."""
    left, right = bars.two_sided(logits / widest, half)
    number = (f"{_figure(logits):>{_NUMBER}}  ", "")
    return [number, (left, NOT_YET), ("│" if half else "", MUTED), (right, ACT)]


def _figure(logits: float) -> str:
    return f"{logits:+.2f}" if abs(logits) >= _ROUNDED else "0.00"


def _sum(state: State, split: Attribution, room: Room) -> Content:
    """Return a line with the totals of all parts, and the rounding error of their sum."""
    heads, forward = sum(map(sum, split.heads)), sum(split.feed_forward)
    said = _("heads {heads:+.2f}   feed-forward {forward:+.2f}   embedding {embedding:+.2f}")
    if not room.roomy:
        said = _("heads {heads:+.2f}  feed-forward {forward:+.2f}")
    said = said.format(heads=heads, forward=forward, embedding=split.embedding)
    rest = state.logit - heads - forward - split.embedding
    if abs(rest) >= _ROUNDED and room.roomy:
        said += _("   rounding {rest:+.2f}").format(rest=rest)
    return Content.styled(said, MUTED)


def _map(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return a map of all parts, with a column for each layer."""
    selected = state.selected
    assert selected is not None
    heads, layers = len(split.heads[0]), len(split.heads)
    label = 9 if room.roomy else 7
    wide = 2 if 2 * layers <= room.width - label else 1
    part = selected.part
    layer = part.layer or 0
    row = heads if part.head is None else part.head
    below = _below_map(selected, room)
    shown = around(layer, layers, (room.width - label) // wide)
    numbers = "".join(f"{(at + 1) % 10:<{wide}}" for at in shown)
    lines = [Content.styled(f"{_('layer'):<{label}}{numbers}", MUTED)]
    rows = max(1, room.height - len(below) - 1)
    for at in around(row, heads + 1, rows):
        of_head = Part(head=at) if at < heads else Part()
        name = _("head {head}").format(head=at + 1)
        if at == heads:
            name = _("feed-fwd") if label > 8 else _("feed")
        here = at == row and part.layer is not None
        title = focusing((f"{name:<{label}}", "bold" if here else MUTED), part=at - row)
        cells = []
        for column in shown:
            value = split.feed_forward[column] if of_head.head is None else split.heads[column][at]
            glyphs, style = heat.signed_cell(value, wide)
            if here and column == layer:
                style = f"{style} reverse"
            cells.append(focusing((glyphs, style), part=at - row, layer=column - layer))
        lines.append(Content.assemble(title, *cells))
    return [*lines, *below]


def _below_map(selected: Contribution, room: Room) -> list[Content]:
    said = Content.assemble((_name(selected.part, room), "bold"), f"  {_figure(selected.logits)}")
    legend = Content.styled(heat.signed_legend(room.width), MUTED)
    return [said, legend] if room.low else [Content(""), said, legend]


def _head(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return the tokens from which the selected head takes its contribution."""
    selected = state.selected
    assert selected is not None
    part = selected.part
    title = Content.assemble(
        (_name(part, room), f"{ACT} bold"),
        (_("  adds ") if selected.logits >= 0 else _("  takes off "), MUTED),
        (f"{abs(selected.logits):.2f}", "bold"),
        (_(", from these tokens:") if part.head is not None and room.roomy else "", MUTED),
    )
    if part.head is None:
        said = _(
            "This part works on the vector of the last token alone. Only heads take something "
            "from other tokens."
        )
        return [title, Content(""), *wrapped(Content(said), room.width)]
    if state.sources is None:
        return [title, _waiting(state, room)]
    attention, logits = state.attention(part), state.from_tokens(part)
    widest = max(map(abs, logits)) or 1.0
    name = max(8, min(16, room.width // 5))
    half = _half(room.width - name - _NUMBER - 20)
    lines = [title]
    if not room.low:
        heading = f"{'':{name + 6}}{_('attention'):>10}{_('adds'):>{_NUMBER}}"
        lines.append(Content.styled(heading, MUTED))
    for at in around(state.token, len(logits), max(1, room.height - len(lines))):
        lines.append(
            Content.assemble(
                *_numbered(state, at, name),
                (heat.percent(attention[at]).rjust(10), MUTED),
                *_signed(logits[at], widest, half),
            )
        )
    if room.roomy and len(lines) + 2 <= room.height:
        said = _("A token adds its attention × what the head does with its value vector.")
        lines += [Content(""), Content.styled(said, MUTED)]
    return lines


def _numbered(state: State, at: int, name: int) -> list[Cell]:
    chosen = at == state.token
    text = figures.fit(figures.shown(state.tokens[at]), name)
    return [cursor(chosen), (f"{at + 1:>3} ", MUTED), (text, "bold" if chosen else "")]


def _waiting(state: State, room: Room) -> Content:
    doing = _("Splitting the heads")
    if state.progress is None:
        return reading_line(doing, None, room.width)
    return progress_line(state.progress, room.width, _("heads"), doing if room.roomy else "")


def _tokens(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return what removing each token costs, and what the heads take from it."""
    if state.sources is None:
        return [_waiting(state, room)]
    count = len(state.tokens)
    direct = [state.of_token(at) or 0.0 for at in range(count)]
    costs = [each.logits for each in state.removed.values()]
    widest = max(map(abs, [*direct, *costs])) or 1.0
    name = max(8, min(14, room.width // 6))
    half = _half((room.width - name - 2 * _NUMBER - 19) // 2, longest=12)
    column = _NUMBER + 2 + (2 * half + 1 if half else 0)
    costly, taken = (_("removal costs"), _("heads take")) if room.roomy else (_("costs"), _("take"))
    heading = f"{'':{name + 6}}{costly:>{max(_NUMBER, len(costly))}}"
    heading = heading.ljust(name + 6 + column + 2) + f"{taken:>{max(_NUMBER, len(taken))}}"
    below = [] if room.low else _about_token(state, room)
    lines = [Content.styled(heading, MUTED)]
    for at in around(state.token, count, max(1, room.height - len(below) - 1)):
        removed = state.removed.get(at)
        cost: list[Cell]
        if removed is None:
            waiting = "…" if at < count - 1 else "–"
            cost = [(f"{waiting:>{_NUMBER}}".ljust(column), MUTED)]
        else:
            cost = _signed(removed.logits, widest, half)
        parts = [*cost, ("  ", ""), *_signed(direct[at], widest, half)]
        mark = " ≠" if _disagree(state, at) else ""
        lines.append(Content.assemble(*_numbered(state, at, name), *parts, (mark, f"{ACT} bold")))
    return [*lines, *below]


def _disagree(state: State, at: int) -> bool:
    removed, direct = state.removed.get(at), state.of_token(at)
    if removed is None or direct is None:
        return False
    return abs(removed.logits - direct) >= DISAGREE


def _about_token(state: State, room: Room) -> list[Content]:
    """Return what happens without the selected token, and what the mark in the table means.

    The number of lines is always the same, so that the screen doesn't jump.
    """
    token, removed = figures.shown(state.tokens[state.token]), state.removed.get(state.token)
    explained = state.explained
    about: list[str] = []
    if state.token == len(state.tokens) - 1:
        said = _("The token {token} can't be removed: the prediction is made there.")
        about.append(said.format(token=token))
    elif removed is None or explained is None:
        about.append(_("Removing one token after another …"))
    else:
        said = _("Without the token {token}, the logit is {logit:.2f}.")
        if state.against is not None:
            said = _("Without the token {token}, the difference is {logit:.2f}.")
        about.append(said.format(token=token, logit=state.logit - removed.logits))
        said = _("The probability of {token} is then {probability}.")
        probability = heat.percent(removed.probability)
        about.append(said.format(token=figures.shown(explained), probability=probability))
    mark = _("≠ The two differ by {logits} or more.").format(logits=DISAGREE)
    lines = [line for each in about for line in wrapped(Content(each), room.width)]
    lines += [Content("")] * (_ABOUT_LINES[room.roomy] - len(lines))
    return [Content(""), Content.styled(mark, MUTED), *lines]


VIEW = WhyView
