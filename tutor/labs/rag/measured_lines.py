"""The text about the measurement: how good the search methods and the answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED, likely
from tutor.app.widgets import bars
from tutor.installation import install_command
from tutor.labs.kit.columns import Column, fitting, wrapped
from tutor.labs.rag import quality
from tutor.labs.rag.lines import METHODS, meter_line, reading_lines
from tutor.language import _
from tutor.retrieval.pairs import pairs

if TYPE_CHECKING:
    from tutor.labs.rag.lab import State
    from tutor.labs.rag.questions import Kind

_NAME = 13
_COLUMNS = (
    Column(_("recall@5"), 9, right=True),
    Column(_("MRR"), 7, right=True),
    Column(_("same words"), 12, right=True),
    Column(_("other words"), 13, right=True),
    Column(_("first"), 8, right=True),
    Column(_("absent"), 8, right=True),
)
"""The columns of the table, from left to right.

The first two columns have the recall at 5 and the MRR for all questions that the course answers.
The next two have the recall at 5 for questions that use the passage's words, and for questions that
use different words. The last two have the median score of the top passage, for questions with and
without an answer in the course.
"""


def measured_lines(state: State, width: int, height: int) -> list[Content]:
    run = state.quality
    shown = fitting(_COLUMNS, width - _NAME)
    heading = "".join(column.cell(column.heading) for column in shown)
    answered = sum(bool(pair.right) for pair in pairs())
    missing = bool(state.sources) and "encoder" not in state.kinds
    install = _("not installed: {install_command}").format(
        install_command=install_command("sentences")
    )
    without_encoder = f"{METHODS['encoder']:<{_NAME}}{install}"
    wide = width >= len(without_encoder)
    lines = [
        Content.styled(f"{_('searching'):<{_NAME}}{heading}", MUTED),
        *(_searched(run, kind, shown) for kind in state.kinds),
        *([Content.styled(without_encoder, MUTED)] if missing and wide else []),
        Content(""),
        Content.styled(_("answering (short answers)"), MUTED),
        _answers(_("3 passages"), *quality.right(run, with_passages=True), width),
        _answers(_("no passages"), *quality.right(run, with_passages=False), width),
        Content(""),
        *_progress(state, width),
    ]
    if height < len(lines):
        lines = [line for line in lines if line.plain]
    notes = [
        _(
            "The course answers {answered} of the {total} questions. "
            "recall@5: how often a right passage is among the first five. "
            "MRR: the mean of 1 / the rank of the first right passage."
        ).format(answered=answered, total=len(pairs())),
        _(
            "first: the median score of the top passage. absent: the same for questions "
            "that the course doesn't answer."
        ),
    ]
    if missing and not wide:
        notes.append(f"{METHODS['encoder']}: {install}")
    for note in notes:
        lines += [Content(""), *wrapped(Content.styled(note, MUTED), width)]
    return lines


def _searched(run: quality.State, kind: Kind, columns: list[Column]) -> Content:
    found = quality.figures(run, kind)
    if found is None:
        done = len(run.ranks.get(kind, ()))
        said = _("{done} of {count}").format(done=done, count=len(pairs())) if done else "–"
        return Content.assemble(f"{METHODS[kind]:<{_NAME}}", (columns[0].cell(said), MUTED))
    first, absent = found.first, found.first_absent
    cells = (
        f"{found.recall:.2f}",
        f"{found.mrr:.2f}",
        f"{found.recall_words:.2f}",
        f"{found.recall_paraphrase:.2f}",
        # The merged score of a passage depends only on two ranks, so don't show its median.
        *(("–", "–") if kind == "both" else (f"{first:.2f}", f"{absent:.2f}")),
    )
    shown = [column.cell(text) for column, text in zip(columns, cells, strict=False)]
    return Content.assemble(
        f"{METHODS[kind]:<{_NAME}}", ("".join(shown[:2]), "bold"), "".join(shown[2:])
    )


def _answers(name: str, right: int, tried: int, width: int) -> Content:
    total = len(quality.short())
    if not tried:
        return Content.assemble(f"{name:<{_NAME}}", ("–".rjust(9), MUTED))
    said = _("{right:>3} of {tried} right").format(right=right, tried=tried) + (
        "" if tried == total else _(" (of {total})").format(total=total)
    )
    bar = bars.bar(right / tried, max(0, min(24, width - _NAME - 26)))
    return Content.assemble(
        f"{name:<{_NAME}}", (f"{said:<24}", "bold"), (bar, likely(right / tried))
    )


def _progress(state: State, width: int) -> list[Content]:
    run = state.quality
    if state.reading:
        return reading_lines(state, width)
    searched = quality.all_ranked(run)
    done, total = run.answered if searched else run.searched
    if not run.running:
        if quality.finished(run):
            said = _("Done. Press r to measure again.")
        elif searched:
            said = _("Press r to measure the answers (about a minute).")
        else:
            said = (
                _("Press r to measure the search methods.")
                if not done
                else _("Press r to continue.")
            )
        return [Content.styled(said, MUTED)]
    left = (
        ""
        if run.seconds_left is None
        else _(", about {seconds_left:.0f} s").format(seconds_left=run.seconds_left)
    )
    what = "Answering" if searched else "Searching"
    return [
        meter_line(
            what,
            done,
            total,
            _("{done} of {total}{left}").format(done=done, total=total, left=left),
            width - 40,
        )
    ]
