"""The text about the current question: its passages, its prompt and its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.meter import meter
from tutor.labs.kit.columns import ROOMY, around, clipped, cursor, wrapped
from tutor.labs.rag.attempt import GAINED
from tutor.labs.rag.questions import BUDGET
from tutor.language import _
from tutor.retrieval.pairs import pair_of
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.rag.attempt import Attempt
    from tutor.labs.rag.lab import State
    from tutor.labs.rag.questions import Hit

METHODS = {
    "words": _("keyword"),
    "meaning": _("semantic"),
    "both": _("both merged"),
    "encoder": _("encoder"),
}
"""The names of the search methods on the screen."""

_SPACE = re.compile(r"\s+")
_METER = 20
_MARKED = f"{ACT} bold underline"
_FEW = 2
"""The maximum number of passages shown without a heading above them."""
_TITLE = 24


def passage_lines(state: State, width: int, rows: int) -> list[Content]:
    """Return up to `rows` of the passages found, with a heading if `rows` is greater than two."""
    if state.reading:
        return reading_lines(state, width)
    attempt = state.attempt
    if attempt.way is None:
        said = _("Retrieval is off: the prompt contains only the question.")
        return [Content.styled(said if len(said) <= width else _("Retrieval is off."), MUTED)]
    if attempt.hits is None:
        return [Content.styled(_("Searching…"), MUTED)]
    if not attempt.hits:
        said = _("No passage contains any of these words.")
        both = f"{said} {_('Press k for another search method.')}"
        return [Content.styled(both if len(both) <= width else said, MUTED)]
    wide = width >= ROOMY
    heading = (
        f"{'':5}{_('score'):>6}  {_('tokens'):>7}  {_('gain'):>5}  "
        if wide
        else f"{'':5}{_('score'):>6}  "
    )
    shown = around(state.focus, len(attempt.hits), rows)
    lines = [_passage(state, place, attempt.hits[place], width, wide) for place in shown]
    return (
        lines
        if rows <= _FEW
        else [Content.styled(_("{heading}from").format(heading=heading), MUTED), *lines]
    )


def reading_lines(state: State, width: int) -> list[Content]:
    """Return the progress of computing the vectors that semantic search needs."""
    known = state.read_so_far
    done, total = (known.done, known.total) if known else (0, 0)
    said = _("Indexing (once)")
    if known is None and state.reading == "encoder":
        said = _("Loading the sentence encoder")
    left = (
        _(", about {seconds:.0f} s").format(seconds=known.seconds * (total - done))
        if known and known.seconds
        else ""
    )
    count = _("{done} of {total}{left}").format(done=done, total=total, left=left) if total else ""
    return [
        meter_line(said, done, total, count, width - 50),
        Content.styled(
            _("Press k for another search method.") if state.part == "ask" else "", MUTED
        ),
    ]


def meter_line(doing: str, done: int, total: int, counts: str, room: int) -> Content:
    """Return a line that names the current work and shows its progress.

    The line has a meter of up to `room` columns, followed by `counts`.
    """
    bar = meter(done / total if total else 0.0, min(_METER, max(4, room)))
    return Content.assemble((f"{doing}  ", MUTED), bar, (f"  {counts}".rstrip(), MUTED))


def _passage(state: State, place: int, hit: Hit, width: int, wide: bool) -> Content:
    attempt = state.attempt
    here = place == state.focus
    number = attempt.given.index(hit) if hit.kept else None
    score = f"{hit.score:.2f}" if hit.score >= 0.1 else f"{hit.score:.3f}"
    parts: list[str | tuple[str, str]] = [
        cursor(here),
        (f"{f'[{place + 1}]' if hit.kept else '':<3}", "bold" if hit in attempt.cited else ""),
        f"{score:>6}  ",
    ]
    if wide:
        parts.append((f"{_tokens(hit):>7}  ", MUTED))
        gains = attempt.gains
        gain = f"{gains[number]:+.1f}" if number is not None and number < len(gains) else ""
        parts.append((f"{gain:>5}  ", "bold" if hit in attempt.cited else MUTED))
    used = sum(len(part if isinstance(part, str) else part[0]) for part in parts)
    room = max(4, width - used)
    title = _from(hit)
    if room < _TITLE + 16:
        return Content.assemble(*parts, (figures.fit(title, room), "bold" if here else ""))
    parts.append((figures.fit(title, _TITLE), "bold" if here else ""))
    excerpt = _excerpt(hit, room - _TITLE - 2)
    return Content.assemble(*parts, "  ", excerpt)


def _from(hit: Hit) -> str:
    if hit.false:
        return _("× your false passage")
    lesson = hit.passage.source.partition("-")[0].lstrip("0")
    where = lesson if lesson.isdigit() else "term" if "glossary" in hit.passage.source else ""
    return f"{where} {safe(hit.passage.heading)}".strip()


def _tokens(hit: Hit) -> str:
    """Return the token count of a passage in the prompt.

    If the passage is cut off, the result has the form "12/50", where 50 is the token count of the
    whole passage.
    """
    if not hit.kept:
        return "–"
    return str(hit.tokens) if hit.tokens == hit.whole else f"{hit.tokens}/{hit.whole}"


def _excerpt(hit: Hit, room: int) -> Content:
    """Return one line from the passage, around the first word that matches the question."""
    text = hit.passage.text
    begin = text.rfind(" ", 0, max(0, hit.marks[0][0] - room // 4)) + 1 if hit.marks else 0
    line = _marked(text, hit.marks, begin, min(len(text), begin + room))
    return Content.assemble(("…" if begin else "", MUTED), line)


def _marked(text: str, marks: Sequence[tuple[int, int]], begin: int, end: int) -> Content:
    """Return part of the text, in which the words of the question are highlighted."""
    parts: list[str | tuple[str, str]] = []
    at = begin
    for start, stop in marks:
        if stop <= begin or start >= end:
            continue
        start, stop = max(start, at), min(stop, end)
        parts += [_flat(text[at:start]), (_flat(text[start:stop]), _MARKED)]
        at = stop
    return Content.assemble(*parts, _flat(text[at:end]))


def _flat(text: str) -> str:
    return safe(_SPACE.sub(" ", text))


def prompt_line(state: State, width: int) -> Content:
    """Return a line with the passages' token count, and a note if some passages didn't fit."""
    attempt = state.attempt
    if attempt.hits is None or state.reading:
        return Content("")
    used = sum(hit.tokens for hit in attempt.given)
    wanted = attempt.hits[: attempt.count]
    cut = [hit for hit in wanted if hit.kept and hit.tokens < hit.whole]
    out = [hit for hit in wanted if not hit.kept]
    said = _("Passages use {used} of {budget} tokens").format(used=used, budget=BUDGET)
    said += _("; the last one is cut") if cut else ""
    said += (
        _("; no room for {passages}").format(passages=counted(len(out), "passage")) if out else ""
    )
    return Content.styled(clipped(said, width), MUTED)


def answer_lines(state: State, width: int, most: int) -> list[Content]:
    """Return the answer so far, in at most `most` lines, followed by the verdict on it."""
    attempt = state.attempt
    if not attempt.found or state.reading:
        return []
    said = safe(" ".join(attempt.said.split()))
    if not attempt.ended and not said:
        done, total = attempt.read
        return [
            meter_line(
                _("Processing the prompt"),
                done,
                total,
                _("{done} of {total}").format(done=done, total=total),
                width - 40,
            )
        ]
    cited = "".join(f" [{attempt.given.index(hit) + 1}]" for hit in attempt.cited)
    text = Content.assemble(
        ("► ", f"{ACT} bold"),
        (said or _("(empty answer)"), "bold"),
        ("" if attempt.ended else "▏", MUTED),
        (cited, f"{ACT} bold"),
    )
    lines = wrapped(text, width)
    if len(lines) > most:
        lines = [*lines[: most - 1], Content.assemble("… ", lines[-1])]
    return [*lines, _verdict(attempt, width)]


def _verdict(attempt: Attempt, width: int) -> Content:
    if not attempt.ended:
        return Content("")
    if not attempt.done:
        done, total = len(attempt.costs), len(attempt.given)
        return Content.styled(
            _("Checking citations: {done} of {total}").format(done=done, total=total), MUTED
        )
    pair = pair_of(attempt.query)
    parts: list[tuple[str, str]] = []
    if pair is not None and pair.answer:
        right = pair.is_answered_by(attempt.said)
        wanted = _("wrong: expected {answer}").format(answer=pair.answer[0])
        parts.append((_("✓ right  ") if right else f"× {wanted}  ", RIGHT if right else NOT_YET))
    elif pair is not None and pair.kind == "absent":
        parts.append((_("× the course doesn't answer this  "), NOT_YET))
    if attempt.given:
        times = _("{gained:.0f} times as probable").format(gained=2**GAINED)
        cited = _("cited passages make the answer ≥{times}").format(times=times)
        parts.append(
            (
                cited
                if attempt.cited
                else _("no passage makes the answer {times}").format(times=times),
                MUTED,
            )
        )
    said = Content.assemble(*parts)
    return said if said.cell_length <= width else Content.assemble(*parts[:1])


def detail_lines(state: State, width: int) -> list[Content]:
    """Return the details that the view shows about the current question.

    These are the selected passage, the whole prompt, or all answers so far.
    """
    match state.view:
        case "prompt":
            if not state.attempt.found:
                return []
            heading = Content.styled(_("the whole prompt"), MUTED)
            return [heading, *wrapped(Content(safe(state.attempt.prompt)), width)]
        case "answers":
            return _answers(state, width)
    hits = state.attempt.hits
    if not hits or state.reading:
        return []
    hit = hits[state.focus]
    place = "" if hit.false else f"  {safe(hit.passage.id)}"
    lines = [line for paragraph in _paragraphs(hit) for line in wrapped(paragraph, width)]
    return [Content.assemble((_from(hit), "bold"), (place, MUTED)), *lines]


def _paragraphs(hit: Hit) -> list[Content]:
    text = hit.passage.text
    found, begin = [], 0
    for line in text.split("\n"):
        if line.strip():
            found.append(_marked(text, hit.marks, begin, begin + len(line)))
        begin += len(line) + 1
    return found


def _answers(state: State, width: int) -> list[Content]:
    """Return all answers to this question, latest first."""
    heading = Content.styled(_("answers to this question"), MUTED)
    same = [each for each in state.past if each.query == state.attempt.query]
    lines = []
    for each in reversed(same):
        way = _("no retrieval") if each.way is None else f"{METHODS[each.way.kind]}, {each.count}"
        mark = " ×" if each.way is not None and each.way.poison else ""
        said = safe(" ".join(each.said.split()))
        cited = "".join(f" [{each.given.index(hit) + 1}]" for hit in each.cited)
        said = clipped(f"{said}{cited}", max(4, width - 14))
        lines.append(Content.assemble((figures.fit(f"{way}{mark}", 14), MUTED), said))
    return [heading, *lines]
