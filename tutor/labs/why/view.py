"""The view of the "Why this token?" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.attribution.parts_map import map_lines
from tutor.labs.kit.attribution.ranked_list import ranked_lines
from tutor.labs.kit.attribution.token_table import TokenEffects, legend, token_lines
from tutor.labs.kit.attribution.words import NUMBER, amount, part_line, part_name, signed
from tutor.labs.kit.columns import Cell, Room, around, cursor, wrapped
from tutor.labs.kit.keys import LAYERS, LEFT_RIGHT, UP_DOWN, Keys, key, pair, tab
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
from tutor.lm.attribution import Attribution
from tutor.text import counted

_LONGEST_BAR = 24
"""The maximum length of a bar, in columns."""
_ABOUT_LINES = {True: 2, False: 4}
"""The number of lines for the sentences about a token, on a roomy screen and on a narrow one."""


class WhyView(LabView):
    """A view of the next tokens, the parts that produced a logit, or the tokens they used."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        key("enter", "explain", "explain", "Explain the logit of the selected token."),
        key("enter", "show_head", "its tokens", "Show the tokens that the head uses for this."),
        key("c", "contrast", "against", "Compare with the selected token, or stop comparing."),
        *tab("next_view(*)", "view", "Show next tokens, parts, a map, one head, or all tokens."),
        *pair(UP_DOWN, "move_focus(*, 'row')", "row", "Choose a token."),
        *pair(UP_DOWN, "move_focus(*, 'rank')", "part", "Choose a part of the network."),
        *pair(UP_DOWN, "move_focus(*, 'token')", "token", "Choose a token of the text."),
        *pair(LAYERS, "move_focus(*, 'layer')", "layer", "Choose a layer."),
        *pair(
            LEFT_RIGHT,
            "move_focus(*, 'part')",
            "head",
            "Choose a head or the feed-forward network.",
        ),
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
            "token",
            _("A token, such as ␣London:"),
            "",
            lambda text: EditText(added_word(text), "token"),
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
    lines = [Content.assemble(*why), _tabs(state, room.width)]
    return lines if room.low else [Content.styled(after, MUTED), *lines]


def _tabs(state: State, width: int) -> Content:
    names = {
        "next": _("next"),
        "parts": _("parts"),
        "map": _("map"),
        "head": _("head"),
        "tokens": _("tokens"),
    }
    return tabs(((names[view], view == state.view) for view in VIEWS), width).rstrip()


def _next(state: State, room: Room) -> list[Content]:
    """Return the table of next tokens, with marks at the target tokens."""
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
    below = [] if room.low else [Content(""), _sum(split, room)]
    table = Room(room.width, room.height - len(below))
    return [*ranked_lines(split, ranking, ranking.index(selected), table), *below]


def _sum(split: Attribution, room: Room) -> Content:
    """Return a line with the totals of the heads and of the feed-forward networks."""
    heads, forward = sum(map(sum, split.heads)), sum(split.feed_forward)
    said = _("heads {heads}   feed-forward {forward}   embedding {embedding}")
    if not room.roomy:
        said = _("heads {heads}  feed-forward {forward}")
    said = said.format(
        heads=signed(heads), forward=signed(forward), embedding=signed(split.embedding)
    )
    return Content.styled(said, MUTED)


def _map(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return a map of all parts, with a row for each layer."""
    selected = state.selected
    assert selected is not None
    below = [
        *([] if room.low else [Content("")]),
        part_line(split, selected.part, room.width),
        Content.styled(heat.signed_legend(room.width), MUTED),
    ]
    table = Room(room.width, max(2, room.height - len(below)))
    return [*map_lines(split, selected.part, table), *below]


def _head(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return lines with what each token adds to the contribution of the selected head."""
    selected = state.selected
    assert selected is not None
    part = selected.part
    title = Content.assemble(
        (part_name(part), f"{ACT} bold"),
        (_("  adds ") if selected.logits >= 0 else _("  takes off "), MUTED),
        (f"{abs(selected.logits):.2f}", "bold"),
        (_(", from these tokens:") if part.head is not None and room.roomy else "", MUTED),
    )
    if part.head is None:
        said = _(
            "This part works on the vector of the last token alone. Only attention heads "
            "read information from other tokens."
        )
        return [title, Content(""), *wrapped(Content(said), room.width)]
    if state.sources is None:
        return [title, _waiting(state, room)]
    attention, logits = state.attention(part), state.from_tokens(part)
    largest = max(map(abs, logits))
    name = max(8, min(18, room.width // 5))
    bar = room.width - name - NUMBER - 18
    lines = [title]
    if not room.low:
        heading = f"{'':{name + 6}}{_('attention'):>10}{_('adds'):>{NUMBER}}"
        lines.append(Content.styled(heading, MUTED))
    for at in around(state.token, len(logits), max(1, room.height - len(lines))):
        chosen = at == state.token
        text = figures.fit(figures.shown(state.tokens[at]), name)
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{at + 1:>3} ", MUTED),
                (text, "bold" if chosen else ""),
                (heat.percent(attention[at]).rjust(10), MUTED),
                *amount(logits[at], largest, bar),
            )
        )
    if room.roomy and len(lines) + 2 <= room.height:
        said = _("A token adds attention weight × value vector × the head's output matrix.")
        lines += [Content(""), Content.styled(said, MUTED)]
    return lines


def _waiting(state: State, room: Room) -> Content:
    doing = _("Splitting the heads")
    if state.progress is None:
        return reading_line(doing, None, room.width)
    return progress_line(state.progress, room.width, _("heads"), doing if room.roomy else "")


def _tokens(state: State, split: Attribution, room: Room) -> list[Content]:
    """Return a table with what each token adds through the heads, and what its removal changes."""
    if state.sources is None:
        return [_waiting(state, room)]
    direct = [state.of_token(at) or 0.0 for at in range(len(state.tokens))]
    below = [] if room.low else _about_token(state, room)
    effects = TokenEffects(state.tokens, direct, state.removed)
    table = Room(room.width, room.height - len(below))
    return [*token_lines(effects, state.token, table), *below]


def _about_token(state: State, room: Room) -> list[Content]:
    """Return lines about the effect of removing the selected token, and the table's legend.

    The number of lines is always the same, so that the screen doesn't jump.
    """
    token, removed = figures.shown(state.tokens[state.token]), state.removed.get(state.token)
    explained = state.explained
    about: list[str] = []
    if state.token == len(state.tokens) - 1:
        said = _("The token {token} can't be removed: the prediction is made there.")
        about.append(said.format(token=token))
    elif removed is None or explained is None:
        about.append(_("Removing one token after another…"))
    else:
        said = _("Without the token {token}, the logit is {logit:.2f}.")
        if state.against is not None:
            said = _("Without the token {token}, the difference is {logit:.2f}.")
        about.append(said.format(token=token, logit=state.logit - removed.logits))
        said = _("The probability of {token} is then {probability}.")
        probability = heat.percent(removed.probability)
        about.append(said.format(token=figures.shown(explained), probability=probability))
    lines = [line for each in about for line in wrapped(Content(each), room.width)]
    lines += [Content("")] * (_ABOUT_LINES[room.roomy] - len(lines))
    return [Content(""), Content.styled(legend(), MUTED), *lines]


VIEW = WhyView
