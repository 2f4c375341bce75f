"""The view of the "Neighbors" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.labs.kit.columns import LOW, ROOMY, around, cursor
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.kit.words.lines import cosine, cosine_bar, form_note, ramp
from tutor.labs.kit.words.word import Near
from tutor.labs.neighbors import lab
from tutor.labs.neighbors.analogies import Analogy, Sum, analogy
from tutor.labs.neighbors.lab import VIEWS, State, View
from tutor.language import _
from tutor.text import safe

NAMES: dict[View, str] = {"near": _("neighbors"), "pairs": _("all pairs"), "sums": _("sums")}
_WAIT = "…"


class NeighborsView(LabView):
    """A view of a word's neighbors, the table of all pairs, or the analogies."""

    VIEWS = VIEWS

    BINDINGS: ClassVar[Keys] = [
        *tab("next_view(*)", "view", "Switch between the three views."),
        key(
            "e",
            "edit",
            "edit",
            "Edit the word or the list of words.",
        ),
        key("e", "add_sum", "new sum", "Add a sum. Its rows are scaled to length 1."),
        *pair(UP_DOWN, "move_focus(*, 'row')", "row", "Choose a row."),
        *pair(LEFT_RIGHT, "move_focus(*, 'column')", "column", "Choose a column."),
        key("enter", "visit", "look up", "Show the neighbors of the selected token."),
        key(
            "k",
            "switch('distance')",
            "cosine/distance",
            "Rank the rows by cosine or by Euclidean distance.",
        ),
        key("w", "switch('spellings')", "spellings", "Show or hide the word's other spellings."),
        key(
            "f",
            "choose(1, 'form')",
            "other token",
            "Use another form of the word, such as one with a capital letter.",
        ),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "move_focus:column": lambda state: state.view == "pairs",
        "edit": lambda state: state.view != "sums",
        "add_sum": lambda state: state.view == "sums",
        "choose": lambda state: state.view == "near" and len(state.forms) > 1,
        "visit": lambda state: state.view == "near",
        "switch": lambda state: state.view == "near",
    }

    def action_edit(self) -> None:
        if self.state.view == "near":
            self.write("word", _("Word to look up:"), self.state.word.strip(), lab.look_up)
        else:
            label = _("Up to {most_words} words:").format(most_words=lab.MOST_WORDS)
            self.write("words", label, " ".join(self.state.words), lab.list_words)

    def action_add_sum(self) -> None:
        """Open an empty field, where the up key inserts the selected sum."""
        a, b, c, expected = self.state.chosen.words
        sample = f"{a} - {b} + {c} = {expected}"
        self.write("sum", _("Sum and expected answer:"), "", analogy, sample=sample)

    action_visit = does(lab.Visit)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = height < LOW
        head = [] if low else [tabs([(NAMES[view], view == state.view) for view in VIEWS])]
        draw = {"near": _near, "pairs": _pairs, "sums": _sums}[state.view]
        return [*head, *draw(state, width, height - len(head), low)]


def _near(state: State, width: int, height: int, low: bool) -> list[Content]:
    there = state.neighborhood
    if there is None:
        return [Content(""), Content.assemble(("  ", ""), (safe(state.word), "bold"), f"  {_WAIT}")]
    head = [_about(there, width)] if low else [Content(""), _about(there, width)]
    if state.id is None:
        form = there.forms[state.form % len(there.forms)]
        if len(form) > 1:
            head.append(Content.styled(f"  {form_note(form)}", NOT_YET))
    number = 10 if width >= ROOMY else 0
    if not low:
        names = (
            f"  {_('rank'):>4}  {_('row'):<{_name(width)}}{_('id') * bool(number):>{number}}  "
            f"{_('cosine')}"
        )
        head.append(Content.styled(names + _("  distance") * state.by_distance, MUTED))
    named = f"  {'':>4}  {figures.fit(_('mean, all rows'), _name(width))}{'':>{number}}"
    mean = Content.assemble(
        (f"{named}  {cosine(there.chance)}  ", MUTED),
        _closeness(there.chance, there.chance_distance, width, by_distance=state.by_distance),
    )
    shown = around(state.focus, len(state.near), max(2, height - len(head) - 1))
    rows = [
        _row(state.near[place], width, here=place == state.focus, by_distance=state.by_distance)
        for place in shown
    ]
    return [*head, *rows, mean]


def _name(width: int) -> int:
    return max(14, min(22, width // 4))


def _bar(width: int) -> int:
    used = _name(width) + 18 + (10 if width >= ROOMY else 0)
    return max(0, min(40, width - used))


def _row(near: Near, width: int, *, here: bool, by_distance: bool) -> Content:
    return Content.assemble(
        cursor(here),
        (f"{near.rank:>4}  ", MUTED),
        (figures.fit(figures.shown(near.token), _name(width)), "bold" if here else ""),
        (f"{figures.count(near.token.id):>10}" if width >= ROOMY else "", MUTED),
        f"  {cosine(near.cosine)}  ",
        _closeness(near.cosine, near.distance, width, by_distance=by_distance),
    )


def _closeness(
    value: float, distance: float, width: int, *, by_distance: bool
) -> str | tuple[str, str]:
    """Return the distance as text, or a bar for `value`, a cosine."""
    return f"{distance:6.2f}" if by_distance else cosine_bar(value, _bar(width))


def _about(there: lab.Neighborhood, width: int) -> Content:
    rest = _("   id {id}").format(id=figures.count(there.token.id))
    of = _("   length {length:.2f}   {rows} rows").format(
        length=there.length, rows=figures.count(there.rows)
    ) * (width >= ROOMY)
    return Content.assemble(
        (_("  nearest to "), MUTED),
        (figures.shown(there.token), "bold"),
        (rest, MUTED),
        (of, MUTED),
    )


_NARROWEST, _WIDEST = 6, 12  # The minimum and the maximum width of a cell, in columns.
_MARGIN = 2


def _pairs(state: State, width: int, height: int, low: bool) -> list[Content]:
    pairs = state.pairs
    if pairs is None:
        return [Content(""), Content(f"  {_WAIT}")]
    line, column = state.cell
    names = [figures.shown(form[0]) for form in pairs.forms]
    label = max(8, min(14, width - _MARGIN - _NARROWEST * len(names)))
    cell = max(_NARROWEST, min(_WIDEST, (width - _MARGIN - label) // len(names)))
    room = max(1, (width - _MARGIN - label) // cell)
    first = max(0, min(column - room + 1, len(names) - room))
    columns = range(first, min(first + room, len(names)))
    short = (figures.fit(names[at].removeprefix("␣"), cell - 1).rstrip() for at in columns)
    above = "".join(f"{name:>{cell}}" for name in short)
    lines = [Content.styled(" " * (_MARGIN + label) + above, MUTED)]
    for place in around(line, len(names), max(2, height - 2) if low else len(names)):
        cosines = pairs.cosines[place]
        parts: list[tuple[str, str]] = [
            cursor(place == line),
            (figures.fit(names[place], label), "bold" if place == line else ""),
        ]
        for at in columns:
            shown = f"{cosine(cosines[at]):>{cell}}"
            focused = (place, at) == state.cell
            parts.append(
                (shown, "reverse" if focused else MUTED if at == place else ramp(cosines[at]))
            )
        lines.append(Content.assemble(*parts))
    below = [_cell(pairs, line, column, names, width), *_notes(state, pairs)]
    return [*lines, *below] if low else [Content(""), *lines, Content(""), *below]


def _cell(pairs: lab.Pairs, row: int, column: int, names: list[str], width: int) -> Content:
    value = pairs.cosines[row][column]
    against = "above" if value > pairs.chance else "below"
    chance = f"{_(' a random pair at') * (width >= ROOMY)} {cosine(pairs.chance).strip()}"
    return Content.assemble(
        "  ",
        (names[row], "bold"),
        (_(" and "), MUTED),
        (names[column], "bold"),
        f"  {cosine(value).strip()}",
        (f"   {against}{chance}", MUTED),
    )


def _notes(state: State, pairs: lab.Pairs) -> list[Content]:
    lines = [
        Content.styled(f"  {form_note(form)}", NOT_YET) for form in pairs.forms if len(form) > 1
    ]
    if state.left_out:
        said = _("  {most_words} words fit; {left_out} more are left out.").format(
            most_words=lab.MOST_WORDS, left_out=state.left_out
        )
        lines.append(Content.styled(said, NOT_YET))
    return lines


def _sums(state: State, width: int, height: int, low: bool) -> list[Content]:
    wide = width >= ROOMY
    columns = (10, 12) if wide else (9, 8)
    text = max(10, min(44, width - 2 - sum(columns)))
    said, without = (_("rank of the answer among"), _("other rows")) if wide else ("rank", "others")
    names = f"  {said:<{text}}{_('all rows'):>{columns[0]}}{without:>{columns[1]}}"
    room = max(2, height - 2) if low else len(state.analogies)
    lines = [Content.styled(names, MUTED)]
    lines += [
        _analogy(state.analogies[place], text, columns, focused=place == state.analogy)
        for place in around(state.analogy, len(state.analogies), room)
    ]
    between = [] if low else [Content("")]
    found = state.chosen.sum
    if found is None:
        return [*lines, *between, Content(f"  {_WAIT}")]
    nearest = _nearest(found, width)[: max(3, height - len(lines) - 2)]
    return [*lines, *between, _verdict(state.chosen, found, width), *nearest]


def _analogy(one: Analogy, text: int, columns: tuple[int, int], *, focused: bool) -> Content:
    a, b, c, expected = (safe(word) for word in one.words)
    parts: list[tuple[str, str]] = [
        cursor(focused),
        (figures.fit(f"{a} - {b} + {c} = {expected}", text), "bold" if focused else ""),
    ]
    if one.sum is None:
        parts.append((f"{_WAIT:>{columns[0]}}", MUTED))
    else:
        ranks = (one.sum.rank, one.sum.rank_without)
        for rank, size in zip(ranks, columns, strict=True):
            shown = f"{'✓ ' if rank == 1 else ''}{figures.count(rank)}"
            parts.append((f"{shown:>{size}}", RIGHT if rank == 1 else ""))
    return Content.assemble(*parts)


def _verdict(one: Analogy, found: Sum, width: int) -> Content:
    wide = width >= ROOMY
    split = [form for form in found.forms if len(form) > 1]
    if split:
        return Content.styled(f"  {form_note(split[0])}", NOT_YET)
    if one.same_twice:
        return Content.styled(_("  Not an analogy: a word occurs twice."), NOT_YET)
    if found.rank == 1:
        return Content.styled(
            _("  It works: first among all rows{wide}.").format(wide=_(", none left out") * wide),
            RIGHT,
        )
    if found.rank_without == 1:
        return Content(
            _("  It works only {value} the three words{value2}.").format(
                value=_("if") if wide else _("with"),
                value2=_(" are left out of the search") if wide else _(" left out"),
            )
        )
    return Content.styled(
        _("  It fails{wide}.").format(wide=_(", even with the three words left out") * wide),
        NOT_YET,
    )


def _nearest(found: Sum, width: int) -> list[Content]:
    """Return the rows nearest to the sum.

    The expected answer and the three words of the sum are marked.
    """
    given = {form[0].id for form in found.forms[:3]}
    expected = found.forms[3][0].id
    lines = []
    for near in found.nearest:
        right = near.token.id == expected and expected not in given
        note = _("expected") if right else _("input") if near.token.id in given else ""
        name = figures.fit(figures.shown(near.token), _name(width))
        lines.append(
            Content.assemble(
                (f"  {near.rank:>4}  ", MUTED),
                (name, "bold" if right else ""),
                f"  {cosine(near.cosine)}  ",
                (f"{note:<10}", RIGHT if right else MUTED),
                cosine_bar(near.cosine, max(0, min(30, width - _name(width) - 28))),
            )
        )
    return lines


VIEW = NeighborsView
