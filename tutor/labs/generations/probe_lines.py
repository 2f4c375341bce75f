"""The text of two views: the probes with their scores, and the table that compares the bots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.bots.files import shipped_probes
from tutor.bots.probes import BOTS, KINDS
from tutor.labs.generations import probes as bot_probes
from tutor.labs.generations.chat_lines import EMPTY, NAMES, cut_to_lines, duration
from tutor.labs.generations.probes import CASES, Case
from tutor.labs.kit.columns import ROOMY, around, clipped, cursor
from tutor.labs.kit.progress import at_pace
from tutor.labs.kit.progress_line import progress_line
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.bots.probes import Bot, Criterion, Kind
    from tutor.labs.generations.state import State

_KIND = 14
_MOST_CELL = 4
_GUESS = 13
_NAME = 13
_LETTERS: dict[Bot, str] = {"rules": "A", "retrieval": "B", "generative": "C"}
_ROOM_FOR_PROBE = 4


def probe_lines(state: State, width: int, height: int) -> list[Content]:
    """Return a table with the prediction and the scores for each kind of probe.

    If there is room, the selected probe and the replies to it follow the table.
    """
    narrow = width < ROOMY
    rows = [
        _heading(narrow),
        *(
            _kind_row(state, KINDS[place], place == state.kind, narrow)
            for place in around(state.kind, len(KINDS), height - 3)
        ),
        _total(state, narrow),
        _progress(state, width),
    ]
    left = height - len(rows)
    return [*rows, *(_one_probe(state, width, left) if left >= _ROOM_FOR_PROBE else [])]


def _guess_size(narrow: bool) -> int:
    return 6 if narrow else _GUESS


def _score_size(bot: Bot, narrow: bool) -> int:
    return 5 if narrow else len(NAMES[bot]) + 2


def _heading(narrow: bool) -> Content:
    guess, names = _guess_size(narrow), _LETTERS if narrow else NAMES
    scores = "".join(f"{names[bot]:>{_score_size(bot, narrow)}}" for bot in BOTS)
    first = _("worst?") if narrow else _("weakest bot")
    return Content.styled(f"  {_('messages'):<{_KIND}}{first:<{guess}}{scores}", MUTED)


def _kind_row(state: State, kind: Kind, here: bool, narrow: bool) -> Content:
    guess = _guess_size(narrow)
    predicted = state.predictions.get(kind)
    broke = bot_probes.breaks_first(state.results, kind)
    mark = "" if not broke or predicted is None else "✓" if predicted in broke else "×"
    said = f"{_LETTERS[predicted] if predicted else '?'} {mark}".rstrip()
    style = RIGHT if mark == "✓" else NOT_YET if mark else ""
    scores = [
        _score(*bot_probes.score(state.results, bot, kind), _score_size(bot, narrow), bot in broke)
        for bot in BOTS
    ]
    return Content.assemble(
        cursor(here),
        (f"{kind:<{_KIND}}", "bold" if here else ""),
        (f"{said:<{guess}}", style),
        *scores,
    )


def _score(right: int, of: int, size: int, broke: bool) -> Content:
    said = f"{right}/{of}" if of else "–"
    return Content.styled(f"{said:>{size}}", NOT_YET if broke else "" if of else MUTED)


def _total(state: State, narrow: bool) -> Content:
    guess = _guess_size(narrow)
    right = bot_probes.predicted_right(state.results, state.predictions)
    said = (
        _("{right} of {count}").format(right=right, count=len(KINDS))
        if len(state.results) == len(CASES)
        else ""
    )
    sums = [(*bot_probes.score(state.results, bot), _score_size(bot, narrow)) for bot in BOTS]
    scores = [
        Content(f"{right if of else '–':>{size}}") if narrow else _score(right, of, size, False)
        for right, of, size in sums
    ]
    return Content.assemble(f"  {_('all'):<{_KIND}}{said:<{guess}}", *scores)


def _progress(state: State, width: int) -> Content:
    done, total = len(state.results), len(CASES)
    if not state.running:
        open_ = len(KINDS) - len(state.predictions)
        if open_:
            said = _("Press ← or → to predict: {open} of {count} left.").format(
                open=open_, count=len(KINDS)
            )
        elif done == total:
            said = _("All done: see the table. Press r to run again.")
        elif done:
            said = _("{done} of {total} replies. Press r to continue.").format(
                done=done, total=total
            )
        else:
            said = _("Press r to send {total} messages to each bot.").format(total=total // 3)
        return Content.styled(clipped(said, width), MUTED)
    taken = bot_probes.milliseconds(state.results, "generative")
    # Only one reply in three is generated. The other two bots reply almost immediately.
    each = None if taken is None else taken / 1000 / len(BOTS)
    line = progress_line(at_pace(done, total, each), width, _("replies"))
    waits = Content.styled(_("  pauses if you leave"), MUTED)
    return line + waits if line.cell_length + waits.cell_length <= width else line


def _one_probe(state: State, width: int, rows: int) -> list[Content]:
    kind = KINDS[state.kind]
    probes = shipped_probes()
    of_kind = probes.of(kind)
    probe = of_kind[state.probe]
    place = probes.probes.index(probe)
    number = _("{probe} of {count}  p/n  ").format(probe=state.probe + 1, count=len(of_kind))
    before = " · ".join(probe.before)
    message = clipped(probe.message, width - len(number))
    lines = [Content.assemble((number, MUTED), (message, "bold"))]
    if before:
        lines.append(
            Content.styled(clipped(_("after: {before}").format(before=before), width), MUTED)
        )
    each = min(3, max(1, (rows - len(lines)) // len(BOTS)))
    for bot in BOTS:
        lines += _reply(state, Case(place, bot), probe.criterion(bot), width, each)
    return lines


def _reply(state: State, case: Case, criterion: Criterion, width: int, most: int) -> list[Content]:
    name = f"{NAMES[case.bot]:<{_NAME}}"
    result = state.results.get(case)
    if result is None:
        wanted = cut_to_lines(
            _("expected: {wanted}").format(wanted=_wanted(criterion)), width - len(name), 1, MUTED
        )
        return [Content.assemble((name, MUTED), wanted[0])]
    mark = ("✓ ", RIGHT) if result.right else ("× ", NOT_YET)
    text = result.text if result.text.strip() else EMPTY
    if not result.right:
        text = _("{text} (expected: {wanted})").format(text=text, wanted=_wanted(criterion))
    said = cut_to_lines(text, width - len(name) - 2, most)
    indent = " " * (len(name) + 2)
    return [
        Content.assemble((name, MUTED), mark, said[0]),
        *(Content.assemble(indent, line) for line in said[1:]),
    ]


def _wanted(criterion: Criterion) -> str:
    if criterion.declines:
        return _("says that it doesn't know")
    said = " or ".join(f"“{each}”" for each in criterion.says)
    avoided = " or ".join(f"“{each}”" for each in criterion.avoids)
    return (
        _("says {said}").format(said=said)
        if said
        else _("never says {avoided}").format(avoided=avoided)
    )


def table_lines(state: State, width: int) -> list[Content]:
    """Return the lesson's table that compares the bots, with this lab's measurements."""
    facts = _facts(state)
    if width < ROOMY:
        return _one_below_the_other(facts, width)
    name = 12
    column = (width - name) // 3
    lines = [
        Content.styled(" " * name + "".join(f"{NAMES[bot]:<{column}}" for bot in BOTS), "bold")
    ]
    for title, values in facts:
        cells = [cut_to_lines(value, column - 2, _MOST_CELL) for value in values]
        for row in range(max(map(len, cells))):
            parts: list[Content | str | tuple[str, str]] = [
                (f"{title if not row else '':<{name}}", MUTED)
            ]
            for cell in cells:
                content = cell[row] if row < len(cell) else Content("")
                parts += [content, " " * (column - content.cell_length)]
            lines.append(Content.assemble(*parts))
    return lines


def _one_below_the_other(facts: Sequence[tuple[str, Sequence[str]]], width: int) -> list[Content]:
    lines: list[Content] = []
    for place, bot in enumerate(BOTS):
        lines.append(Content.styled(NAMES[bot], "bold"))
        for title, values in facts:
            cells = cut_to_lines(values[place], width - 12, _MOST_CELL)
            lines.append(Content.assemble((f"{title:<12}", MUTED), cells[0]))
            lines += [Content.assemble(" " * 12, cell) for cell in cells[1:]]
    return lines


def _facts(state: State) -> list[tuple[str, Sequence[str]]]:
    bank, trained = state.bank, state.trained
    in_retrieval = _("in a vector or entry")
    learned = held_out = "–"
    if trained is not None and trained.finished:
        learned = _("took {seconds:.1f} s").format(seconds=trained.seconds)
        held_out = _("{right} of {of} phrases").format(right=trained.right, of=trained.of)
    entries = _("{phrases} phrases, {entries} answers").format(
        phrases=bank.phrases, entries=bank.entries
    )
    weights = (
        _("{weights:,} weights").format(weights=state.weights) if state.weights else _("a model")
    )
    return [
        ("method", (_("reply to a pattern"), _("closest stored reply"), _("token by token"))),
        ("domain", ("closed", "semi-closed", "open")),
        ("limit", (_("only its rules"), _("only its bank"), _("makes things up"))),
        ("right", [_right(state, bot) for bot in BOTS]),
        (_("weakest on"), [_weakest(state, bot) for bot in BOTS]),
        (_("reply time"), [_time(state, bot) for bot in BOTS]),
        (_("consists of"), (_("{count} rules").format(count=len(state.rules)), entries, weights)),
        ("training", ("–", learned, "pretrained")),
        ("recognizes", ("–", held_out, "–")),
        (_("an error is"), (_("in one rule"), in_retrieval, _("in no single place"))),
    ]


def _right(state: State, bot: Bot) -> str:
    right, of = bot_probes.score(state.results, bot)
    return _("{right} of {of} probes").format(right=right, of=of) if of else _("– (run the probes)")


def _weakest(state: State, bot: Bot) -> str:
    if len(state.results) < len(CASES):
        return "–"
    scores = {kind: bot_probes.score(state.results, bot, kind) for kind in KINDS}
    shares = {kind: right / of for kind, (right, of) in scores.items() if of}
    weakest = [kind for kind, share in shares.items() if share == min(shares.values())]
    if not weakest:
        return "–"
    return (
        ", ".join(weakest)
        if len(weakest) < 3
        else _("{count} kinds tie").format(count=len(weakest))
    )


def _time(state: State, bot: Bot) -> str:
    taken = bot_probes.milliseconds(state.results, bot)
    return f"{duration(taken)} (median)" if taken is not None else "–"
