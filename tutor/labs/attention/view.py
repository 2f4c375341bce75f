"""The view of the "What heads attend to" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.key_scheme import lab_keys
from tutor.app.theme import ACT, KEY, MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.clicks import focusing
from tutor.labs.attention.lab import (
    PATTERN_NAMES,
    PATTERNS,
    SINK,
    VIEWS,
    Pattern,
    RankHeads,
    ShowHead,
    State,
)
from tutor.labs.kit import heat
from tutor.labs.kit.actions import cycled
from tutor.labs.kit.columns import Room, around, beside, cursor
from tutor.labs.kit.keys import LAYERS, LEFT_RIGHT, P_N, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.language import _

SHORT: dict[Pattern, str] = {
    "previous": _("previous"),
    "first": _("first"),
    "itself": _("itself"),
    "same": _("same"),
}
_SINK_SAID = 0.5
"""The minimum attention to the first token at which the screen calls that token a sink."""


class AttentionView(LabView):
    """A view of a head's attention map, one row of the map in numbers, or a ranking of heads."""

    FIRST_KEYS = lab_keys("f")
    BINDINGS: ClassVar[Keys] = [
        key("e", "edit", "edit", "Edit the sentence."),
        *tab("next_view(*)", "view", "Show the map, one token's row, or the finder."),
        *pair(LAYERS, "move_focus(*, 'layer')", "layer", "Choose a layer."),
        *pair(UP_DOWN, "move_focus(*, 'rank')", "row", "Choose a head in the list."),
        *pair(LEFT_RIGHT, "move_focus(*, 'head')", "head", "Choose a head."),
        *pair(P_N, "move_focus(*, 'token')", "token", "Go to the previous or next token."),
        key("enter", "show_head", "open", "Show the map of the selected head.", id="show head"),
        key("f", "rank_heads", "find", "Rank all heads by a pattern, or by the next pattern."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "move_focus": lambda state: state.view != "finder",
        "move_focus:rank": lambda state: state.view == "finder",
        "show_head": lambda state: state.view == "finder",
    }
    VIEWS = VIEWS

    action_edit = writes(_("Sentence:"), edit_sentence)
    action_show_head = does(ShowHead)

    def action_rank_heads(self) -> None:
        """Show the ranking of heads or, if it is already visible, rank by the next pattern."""
        step = 1 if self.state.view == "finder" else 0
        self.did(RankHeads(cycled(PATTERNS, self.state.pattern, step)))

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        room = Room(width, height)
        if state.view == "finder" and state.sentence is not None:
            return _finder(state, room)
        if not state.known:
            return [Content.styled(_("Computing attention…"), MUTED)]
        above = _head(state, room)
        height -= len(above)
        if state.view == "row":
            return [*above, *_row(state, Room(width, height))]
        if not room.wide:
            return [*above, *_map(state, width, height)]
        map_width = width // 2 + 8
        row = _row(state, Room(width - map_width - 4, height))
        return [*above, *beside(_map(state, map_width, height), row, map_width + 4)]


def _head(state: State, room: Room) -> list[Content]:
    """Return a line with the selected layer and head, and the head's score for each pattern."""
    read = state.sentence
    assert read is not None
    place = Content.assemble(
        (_("layer "), MUTED),
        (f"{state.layer + 1:>2}", "bold"),
        (_(" of {layers}  head ").format(layers=read.layers), MUTED),
        (f"{state.head + 1:>2}", "bold"),
        (_(" of {heads}").format(heads=read.heads), MUTED),
    )
    habits: list[str | tuple[str, str]] = []
    gap = "  " if room.roomy else " "
    for pattern in PATTERNS:
        score = state.score(pattern)
        if score is not None:
            share = f"{100 * score:>2.0f} %{gap}"
            habits += [(f"{SHORT[pattern]} ", MUTED), (share, "bold" if score >= 0.5 else "")]
    found = Content.assemble(*habits).rstrip()
    apart = place.cell_length + 2 + found.cell_length > room.width
    lines = [place, found] if apart else [Content.assemble(place, "  ", found)]
    if read.left_out:
        lines.append(
            Content(
                _("{count} tokens shown, {left_out} left out").format(
                    count=len(read.tokens), left_out=read.left_out
                )
            )
        )
    return lines


def _map(state: State, width: int, height: int) -> list[Content]:
    tokens, below = state.tokens, _taken(state, width)
    name = min(12, max(6, width // 6))
    room = width - name - 6
    wide = 2 if 2 * len(tokens) <= room else 1
    shown = _columns(len(tokens), state.token, room // wide)
    rows = max(3, height - len(below) - 1)
    numbers = "".join(f"{(at + 1) % 10:<{wide}}" for at in shown)
    # The key line has no room for the keys that choose a token.
    keys = Content.assemble("  ", (f"{P_N.shown} ", KEY), (_("token"), MUTED))
    lines = [Content.assemble(keys, " " * (name + 6 - keys.cell_length), (numbers, MUTED))]
    for at in around(state.token, len(tokens), rows):
        row = state.row(at)
        chosen = at == state.token
        label = (figures.fit(figures.shown(tokens[at]), name), "bold" if chosen else "")
        cells = [heat.cell(row[column], wide) for column in shown if column <= at]
        parts = [(f"{at + 1:>2} ", MUTED), label, (" ", ""), *cells]
        line = (focusing(part, token=at - state.token) for part in parts)
        lines.append(Content.assemble(cursor(chosen), *line))
    return [*lines, *below]


def _columns(count: int, focus: int, room: int) -> list[int]:
    """Return the tokens whose columns fit: the first token, and tokens up to the selected one.

    The first token is always included, because many heads attend to it.
    """
    if count <= room:
        return list(range(count))
    last = max(focus + 1, room)
    return [0, *range(last - room + 1, last)]


def _taken(state: State, width: int) -> list[Content]:
    """Return a line with the tokens that the selected token attends to most, and a legend."""
    row = state.row(state.token)
    most = sorted(range(state.token + 1), key=lambda at: -row[at])[: max(1, width // 19)]
    parts: list[str | tuple[str, str]] = [
        (figures.shown(state.tokens[state.token]), "bold"),
        (_(" gives "), MUTED),
    ]
    for at in most:
        sink = " (sink)" if at == 0 and row[at] >= _SINK_SAID else ""
        parts += [
            f"{heat.percent(row[at])} ",
            (_("to "), MUTED),
            figures.shown(state.tokens[at]) + sink + "  ",
        ]
    return [Content.assemble(*parts), Content.styled(heat.LEGEND, MUTED)]


def _row(state: State, room: Room) -> list[Content]:
    """Return one row of the map: the selected token's attention to itself and earlier tokens."""
    tokens = state.tokens
    row, own = state.row(state.token), tokens[state.token]
    sink = row[0] >= _SINK_SAID and state.token > 0
    below = _sink(row[0], room.width) if sink else []
    name = max(8, min(16, room.width // 5))
    notes = 22 if room.roomy else 0
    bar = max(0, room.width - name - figures.PERCENT_WIDTH - notes - 10)
    rows = max(3, room.height - len(below) - 1)
    most = sorted(range(state.token + 1), key=lambda at: -row[at])
    if len(most) > rows:  # show the tokens with the most attention, in the order of the text
        most, hidden = most[: rows - 1], most[rows - 1 :]
        said = _("      {count} more, each at most {most}").format(
            count=len(hidden), most=heat.percent(row[hidden[0]])
        )
        below.insert(0, Content.styled(said, MUTED))
    shown = sorted(most)
    asks = (f"{state.token + 1} {figures.shown(own)}", "bold")
    keys = (f"{P_N.shown} ", KEY)
    lines = [Content.assemble(keys, (_("token "), MUTED), asks, (_(" attends to"), MUTED))]
    for at in shown:
        lines.append(
            Content.assemble(
                (f"  {at + 1:>2}  ", MUTED),
                figures.fit(figures.shown(tokens[at]), name),
                heat.percent(row[at]).rjust(figures.PERCENT_WIDTH),
                "  ",
                (bars.bar(row[at], bar), likely(row[at])),
                (f" {_note(state, at)}" if notes else "", MUTED),
            )
        )
    return [*lines, *below]


def _note(state: State, at: int) -> str:
    if at == 0:
        sink = state.row(state.token)[0] >= _SINK_SAID
        return _("first token: a sink") if sink else _("first token")
    if at == state.token:
        return _("itself")
    if state.tokens[at].id == state.tokens[state.token].id:
        return _("an earlier copy")
    return _("previous token") if at == state.token - 1 else ""


def _sink(share: float, width: int) -> list[Content]:
    said = [
        _("An attention sink: the weights must add up to 100 %. A head that finds no"),
        _("match puts them where they do no harm, on the first token."),
    ]
    if max(map(len, said)) > width:
        said = [_("A sink: unused attention goes here.")]
    return [Content.styled(line, MUTED if share < SINK else "") for line in said]


def _finder(state: State, room: Room) -> list[Content]:
    ranking = state.ranking()
    asks = _("Which head attends most to ") if room.roomy else _("Most to ")
    question = Content.assemble(
        (asks, MUTED),
        (PATTERN_NAMES[state.pattern], f"{ACT} bold"),
        ("?", MUTED),
    )
    if not ranking:
        return [
            question,
            Content(""),
            Content(_("No token occurs twice in this sentence.")),
            Content(_("Press e to write one that repeats a word.")),
        ]
    rows = max(3, room.height - 3)
    bar = max(0, room.width - 36)
    lines = [question, Content.styled(_("   rank   layer   head   attention"), MUTED)]
    for at in around(state.rank, len(ranking), rows):
        layer, head, score = ranking[at]
        chosen = at == state.rank
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{at + 1:>5}", MUTED),
                (f"{layer + 1:>8}{head + 1:>7}", "bold" if chosen else ""),
                heat.percent(score).rjust(figures.PERCENT_WIDTH + 2),
                "   ",
                (bars.bar(score, bar), likely(score)),
            )
        )
    return lines


VIEW = AttentionView
