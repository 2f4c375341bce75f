"""The text of the chat view: each bot's reply, and how the bot arrived at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.clicks import focusing
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.layout import first_that_fits
from tutor.app.widgets.meter import meter
from tutor.bots.pattern import folded, match, words_of
from tutor.bots.probes import BOTS
from tutor.labs.kit.columns import LOW, ROOMY, around, beside, clipped, cursor
from tutor.language import _
from tutor.text import counted, safe

if TYPE_CHECKING:
    from tutor.bots.bank import RetrievalReply
    from tutor.bots.probes import Bot
    from tutor.bots.rules import RuleReply
    from tutor.labs.generations.state import State, Turn

NAMES: dict[Bot, str] = {
    "rules": _("A rules"),
    "retrieval": _("B retrieval"),
    "generative": _("C generation"),
}
"""The names of the bots, with the letters that lesson 1 and plain mode use."""
EMPTY = _("(empty reply)")
"""Stands for a reply without any text. A model can end its reply at once."""
_GAP = 2
_MOST_ANSWER = 7
_ROOM_FOR_TRACE = 11
_LEAST_BESIDE_ANSWER = 9
"""The lines of the view that a generated answer leaves to its trace and to everything above it."""
_SHARE = 8
_LABEL = 9
_FEW = 4
_ROOM_FOR_ENTER = 6
"""The minimum number of lines below a generated answer to name the key that opens the stepper."""
_HINT = 60
"""The maximum width of the hint in an empty chat, in columns."""


def chat(state: State, width: int, height: int) -> list[Content]:
    """Return the lines of the chat view, below the tabs."""
    turn = state.turn
    if turn is None:
        said = _(
            "Press e to write a message to all three bots. They answer questions from visitors "
            "to a town library."
        )
        return [Content(""), *cut_to_lines(said, min(width, _HINT), height)]
    first = _message(state, turn, width)
    if width < ROOMY:
        return [first, *_stacked(state, turn, width, height - 1)]
    column = (width - 2 * _GAP) // 3
    most = max(3, min(_MOST_ANSWER, height - _ROOM_FOR_TRACE))
    # Only the trace of a generated answer can be scrolled, so only that answer may displace it.
    longest = (most, most, max(most, height - _LEAST_BESIDE_ANSWER))
    columns = [
        [
            _head(state, turn, place, column),
            *_answer(turn, place, column, longest[place]),
            Content(""),
        ]
        for place in range(len(BOTS))
    ]
    top = min(max(map(len, columns)), most + 2)
    for place, lines in enumerate(columns):
        lines += [Content("")] * (top - len(lines))
        lines += _trace(state, turn, place, column, max(3, height - 2 - len(lines)))
    rules, retrieval, generation = columns
    both = beside(rules, retrieval, column + _GAP)
    return [first, Content(""), *beside(both, generation, 2 * (column + _GAP))]


def _message(state: State, turn: Turn, width: int) -> Content:
    count = _("  message {count}").format(count=len(state.turns)) if len(state.turns) > 1 else ""
    if turn.seed:
        count = _("  seed {seed}{value}{count}").format(
            seed=turn.seed, value=_(": same answer") if turn.unchanged else "", count=count
        )
    said = clipped(safe(turn.message), width - len(count))
    gap = " " * (width - Content(said).cell_length - len(count))
    return Content.assemble((said, "bold"), gap, (count, MUTED))


def _stacked(state: State, turn: Turn, width: int, height: int) -> list[Content]:
    """Return the selected bot's reply with all details.

    If there is room, the first lines of the other two replies are included.
    """
    lines: list[Content] = []
    if height < LOW:
        said = _answer(turn, state.bot, width, 2)
        rows = max(1, height - 1 - len(said))
        return [
            _head(state, turn, state.bot, width),
            *said,
            *_trace(state, turn, state.bot, width, rows),
        ]
    for place in range(len(BOTS)):
        lines.append(_head(state, turn, place, width))
        shown = place == state.bot
        lines += _answer(turn, place, width, _MOST_ANSWER if shown else 1)
        if shown:
            lines += _trace(state, turn, place, width, max(3, height - 7))
    return lines


def _head(state: State, turn: Turn, place: int, width: int) -> Content:
    here = place == state.bot
    right = duration(reply[1]) if (reply := _reply(turn, place)) else "…"
    name = NAMES[BOTS[place]]
    gap = " " * max(1, width - 2 - len(name) - len(right))
    head = Content.assemble(cursor(here), (name, "bold" if here else ""), gap, (right, MUTED))
    return focusing(head, bot=place - state.bot)


def _reply(turn: Turn, place: int) -> tuple[str, float] | None:
    """Return a bot's reply and its response time in milliseconds, or None if it has no reply."""
    if place == 2:
        written = turn.written
        return (written.text, written.milliseconds) if written.tokens else None
    said = turn.retrieval if place else turn.rules
    return (said.reply.text, said.milliseconds) if said else None


def duration(milliseconds: float) -> str:
    if milliseconds < 10:
        return _("{milliseconds:.1f} ms").format(milliseconds=milliseconds)
    return (
        _("{milliseconds:,.0f} ms").format(milliseconds=milliseconds)
        if milliseconds < 10_000
        else f"{milliseconds / 1000:.0f} s"
    )


def _answer(turn: Turn, place: int, width: int, most: int) -> list[Content]:
    text, __ = _reply(turn, place) or ("", 0.0)
    if not text.strip():
        ends = place == 2 and turn.written.ended
        return [Content.styled(EMPTY if ends else "…", MUTED)]
    if place == 2 and not turn.written.ended and turn.written.done:
        text += " …"
    lines = cut_to_lines(text, width, most)
    if place == 2 and most > 1 and len(cut_to_lines(text, width, most + 1)) > most:
        ways = (
            _("… Enter opens the whole answer in the chat"),
            _("… Enter opens it in chat"),
            _("… Enter opens it"),
        )
        lines[-1] = Content.styled(first_that_fits(ways, width, otherwise=ways[-1]), MUTED)
    return lines


def cut_to_lines(text: str, width: int, most: int, style: str = "") -> list[Content]:
    """Return `text`, wrapped to at most `most` lines.

    If it is cut off, the last line ends in `…`.
    """
    plain = " ".join(safe(text).split())
    lines = [line.rstrip() for line in Content.styled(plain, style).wrap(max(4, width))]
    if len(lines) <= most:
        return lines
    last = figures.fit(lines[most - 1].plain + " " + lines[most].plain, width)
    return [*lines[: most - 1], Content.styled(last, style)]


def _trace(state: State, turn: Turn, place: int, width: int, rows: int) -> list[Content]:
    if place == 0:
        lines = _of_rules(turn, turn.rules.reply, state, width) if turn.rules else []
        if len(lines) > rows > 0:
            last = lines[rows - 1].truncate(max(1, width - 2))
            lines[rows - 1] = Content.assemble(last, (" …", MUTED))
    elif place == 1:
        reply = turn.retrieval.reply if turn.retrieval else None
        note = _outdated(turn, "retrieval", width)
        lines = (
            [*note, *_of_retrieval(reply, width, rows - len(note))]
            if reply
            else _in_training(state, width)
        )
    else:
        lines = _of_generation(state, turn, width, rows)
    return lines[:rows]


_CHANGED: dict[Bot, str] = {
    "rules": _("Outdated: the rules changed. Press r to ask again."),
    "retrieval": _("Outdated: the bot was retrained. Press r to ask again."),
}


def _outdated(turn: Turn, bot: Bot, width: int) -> list[Content]:
    """Return a note if the learner has changed the bot since the bot replied."""
    return cut_to_lines(_CHANGED[bot], width, 3, NOT_YET) if bot in turn.outdated else []


def _of_rules(turn: Turn, reply: RuleReply, state: State, width: int) -> list[Content]:
    note = _outdated(turn, "rules", width)
    if note and not reply.fits:
        return note
    if not reply.fits:
        said = _("0 of {count} rules fit. This is the fallback.").format(count=len(state.rules))
        return cut_to_lines(said, width, 2, MUTED)
    first = reply.fits[0]
    words = words_of(turn.message)
    literal = " ".join(words[place] for place in first.literal)
    pairs = [
        ("rule", first.rule),
        ("priority", str(first.priority)),
        ("pattern", first.pattern),
        *([("words", literal)] if literal else []),
        *(
            ("" if place else "captured", each)
            for place, each in enumerate(captured(first.pattern, turn.message))
        ),
    ]
    if reply.turn > 1:
        pairs.append(("used", _("{turn} times so far").format(turn=reply.turn)))
    if len(reply.fits) > 1:
        pairs.append(("also fit", ", ".join(fit.rule for fit in reply.fits[1:])))
    return [*note, *(line for name, value in pairs for line in _pair(name, value, width))]


def captured(pattern: str, message: str) -> list[str]:
    """Return the words of a message that a matching pattern captures, in quotation marks.

    If several captures contain words, each is preceded by its placeholder, such as {1}.
    """
    words = words_of(message)
    found = match(pattern, [folded(word) for word in words])
    spans = found.captures if found else ()
    texts = [(n, " ".join(words[each.start : each.end])) for n, each in enumerate(spans, 1)]
    quoted = [(f"{{{n}}} ", f"“{text}”") for n, text in texts if text]
    return [name * (len(quoted) > 1) + text for name, text in quoted]


def _pair(name: str, value: str, width: int) -> list[Content]:
    """Return a label and its value, which can take two lines."""
    heads = (f"{name:<{_LABEL}}", " " * _LABEL)
    lines = cut_to_lines(value, width - _LABEL, len(heads))
    return [Content.assemble((head, MUTED), line) for head, line in zip(heads, lines, strict=False)]


def _of_retrieval(reply: RetrievalReply, width: int, rows: int) -> list[Content]:
    count = 3 if rows >= 9 else 2 if rows >= 7 else 1
    name = 10 if width < 40 else 14
    bar = max(3, min(20, width - name - _SHARE - 1))
    lines = [Content.styled(_("intent"), MUTED)] if rows > _FEW else []
    for each in reply.likely[:count]:
        lines.append(
            Content.assemble(
                f"{figures.fit(each.intent, name)}{figures.percent(each.probability):>{_SHARE}} ",
                (bars.bar(each.probability, bar), likely(each.probability)),
            )
        )
    if rows > _FEW:
        said = _("nearest question, cosine") if reply.declined else _("nearest question answers")
        lines.append(Content.styled(said, MUTED))
    for near in reply.nearest[:count]:
        below = near.cosine < reply.threshold
        text = clipped(near.question, max(4, width - 6))
        lines.append(Content.assemble((f"{near.cosine:5.2f} ", ""), (text, MUTED if below else "")))
    said = _("below threshold {value:.2f}") if reply.declined else _("threshold {value:.2f}: met")
    style = NOT_YET if reply.declined else MUTED
    return [*lines, Content.styled(said.format(value=reply.threshold), style)]


def _in_training(state: State, width: int) -> list[Content]:
    trained = state.trained
    if trained is None:
        return cut_to_lines(_("This bot is trained before it answers."), width, 3, MUTED)
    count, total = len(trained.losses), trained.total
    said = _("Training: step {count} of {total}").format(count=count, total=total)
    return [Content.styled(said, MUTED), meter(count / total, min(20, width))]


def _of_generation(state: State, turn: Turn, width: int, rows: int) -> list[Content]:
    tokens = turn.written.tokens
    if not tokens:
        said = _("Processing the prompt…") if turn.retrieval else _("Waiting for its turn…")
        return [Content.styled(said, MUTED)]
    several = rows > _FEW and len(state.turns) > 1
    names_enter = rows >= _ROOM_FOR_ENTER
    room = rows - 2 - several - names_enter if rows > _FEW else rows
    name = max(6, min(16, width - 2 - _SHARE - 4))
    bar = max(0, min(20, width - 2 - name - _SHARE - 1))
    lines = []
    if several:
        said = _("reads all {count} messages").format(count=len(state.turns))
        lines.append(Content.styled(said, MUTED))
    if rows > _FEW:
        lines.append(
            Content.styled(
                _("{tokens}, probability").format(tokens=counted(len(tokens), "token")), MUTED
            )
        )
    for place in around(state.token, len(tokens), room):
        each, here = tokens[place], place == state.token
        line = Content.assemble(
            cursor(here),
            (figures.fit(figures.shown(each.token), name), "bold" if here else ""),
            f"{figures.percent(each.probability):>{_SHARE}} ",
            (bars.bar(each.probability, bar), likely(each.probability)),
        )
        lines.append(focusing(line, bot=2 - state.bot, row=place - state.token))
    chosen = tokens[min(state.token, len(tokens) - 1)]
    lines.append(Content.styled(_("rank {rank:,} of all tokens").format(rank=chosen.rank), MUTED))
    if names_enter:  # a narrow key line has no room for this key
        ways = (_("Enter opens the stepper"), _("Enter: stepper"))
        lines.append(with_keys(first_that_fits(ways, width, otherwise=ways[-1]), MUTED))
    return lines
