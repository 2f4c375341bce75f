"""The view of the "Certainty and truth" lab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures, plot
from tutor.labs.certainty import lab
from tutor.labs.certainty.calibration import expected_error
from tutor.labs.certainty.lab import VIEWS, State
from tutor.labs.certainty.real_and_invented import verdict
from tutor.labs.certainty.surprise import surprising
from tutor.labs.kit.actions import EditText, Run, ShowView
from tutor.labs.kit.columns import Room, beside, clipped, wrapped
from tutor.labs.kit.keys import LEFT_RIGHT, key, pair, tab
from tutor.labs.kit.progress_line import progress_line
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView
from tutor.language import _
from tutor.text import safe, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from tutor.labs.certainty.calibration import Bin
    from tutor.labs.certainty.lab import Does, Judged, Way
    from tutor.labs.certainty.real_and_invented import Verdict
    from tutor.labs.kit.reply import Reply

NAMES: dict[Way, str] = {
    "plain": _("plain"),
    "fact": _("with the fact"),
    "unsure": _("may decline"),
}
MARKS: dict[Verdict, tuple[str, str]] = {
    "right": (_("✓ right"), RIGHT),
    "wrong": (_("× wrong"), NOT_YET),
    "declined": (_("○ declined"), ACT),
}
_TABLE = 40
"""The column at which the calibration diagram begins, to the right of the table."""
_MOST_PLOT = 60
_PLOT_HEIGHT = 9


class CertaintyView(LabView):
    """A view of one question with its answer and samples, or of statistics about the whole set."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("r,enter", "go('draw')", "sample ten", "Sample ten answers."),
        key("r,enter", "go('ask_all')", "ask all", "Ask the whole set."),
        key("r,enter", "go('draw_rest')", "continue", "Sample the remaining answers."),
        key("r,enter", "go('ask_rest')", "ask the rest", "Ask the remaining questions of the set."),
        key("r,enter", "go('stop')", "stop", "Stop, and keep the answers so far."),
        key("s", "go('redraw')", "new seed", "Sample ten answers again with a new seed."),
        *pair(LEFT_RIGHT, "choose(*, 'question')", "question", "Go to another question."),
        key("w", "choose(1, 'way')", "way", "Ask plainly, with the fact, or let it decline."),
        *tab("next_view(*)", "view", "Show one answer, the calibration, or all ways of asking."),
        key("e", "edit", "edit", "Write a question of your own."),
    ]

    VIEWS = VIEWS

    def action_go(self, _: Does) -> None:
        self.did(Run())

    def action_edit(self) -> None:
        self.did(ShowView("answer"))
        sample = "Who wrote the novel The Glass Orchard?"
        self.write("question", _("Your own question:"), self.state.own, EditText, sample=sample)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if state is None:
            return True
        if action == "go":
            return parameters == (lab.does(state),)
        if action == "choose":
            return state.view == "answer" if "question" in parameters else state.view != "ways"
        return True

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        draw = {"answer": _answer, "calibration": _calibration, "ways": _ways}[state.view]
        room = Room(width, height)
        # On a short screen, the answer takes the place of the tabs, unless the tabs show progress.
        hidden = room.low and state.view == "answer" and not _job_elsewhere(state)
        return [*([] if hidden else [_heading(state, width)]), *draw(state, room)]


def _heading(state: State, width: int) -> Content:
    """Return a line with the tabs. If another view's work is in progress, add its progress.

    If there is no room for both, the line contains only the current view's tab and the progress.
    """
    names = tabs((view, view == state.view) for view in VIEWS)
    said = _job_elsewhere(state)
    if names.cell_length + len(said) > width:
        names = tabs([(state.view, True)])
    return Content.assemble(names, (said, ACT))


def _job_elsewhere(state: State) -> str:
    if state.running and state.view == "answer":
        asked = lab.progress(state)
        return _("Asking the set: {done} of {total}").format(done=asked.done, total=asked.total)
    if state.drawing is None or (state.view == "answer" and state.drawing == state.prompt):
        return ""
    drawn = state.draws.get(state.drawing, ())
    return _("Sampling: {value} of {draws}").format(
        value=sum(reply.done for reply in drawn), draws=state.limits.draws
    )


def _answer(state: State, room: Room) -> list[Content]:
    width, low = room.width, room.low
    lines = [_which(state, room), *_question(state, width, 1 if low else 3)]
    lines += [] if low else _before(state, width)
    reply = state.answers.get(state.prompt)
    if reply is None or not reply.ids:
        return [*lines, Content.styled(_("The model is processing the question…"), MUTED)]
    # The end token counts toward the certainty, but is not part of the text.
    kept = len(reply.ids) - reply.ended
    bits = [-log / math.log(2) for log in reply.logs]
    if low:
        rows = 1 if state.draws.get(state.prompt) else 2
        lines += surprising(reply.pieces[:kept], bits, width, rows)
        certain = _certain(reply)
        if state.reply is not None:
            certain += Content("  ") + _judgment(state, reply, width - certain.cell_length - 2)
        return [*lines, certain, *_draws(state, width, room.height - len(lines))[1:]]
    text = surprising(reply.pieces[:kept], bits, width, 3)
    lines += [Content(""), *text, _figures(reply, room)]
    if state.reply is not None:
        lines.append(_judgment(state, reply, width))
    return [*lines, *_draws(state, width, max(1, room.height - len(lines) - 3))]


def _certain(reply: Reply) -> Content:
    return Content.styled(
        _("certainty {certainty:>3.0f} %").format(certainty=100 * reply.certainty), "bold"
    )


def _which(state: State, room: Room) -> Content:
    """Return a line with the question's number, the way of asking, and the scale of the bars."""
    item = state.item
    if item is None:
        said = (
            _("last {longest} characters used").format(longest=lab.LONGEST)
            if state.left_out
            else _("your own question")
        )
    else:
        kind = "real" if item.real else "invented"
        said = _("{at} of {count}  {kind}").format(
            at=state.at + 1, count=len(state.limits.items), kind=kind
        )
        said += f" {item.kind}" if room.roomy else ""
    size = 30 if room.roomy else 20
    scale = f"{_('bars: half a bit per level'):>{room.width - size - 15}}" if room.roomy else ""
    return Content.assemble(
        (figures.fit(said, size), MUTED), (f"  {NAMES[state.way]:<13}", ACT), (scale, MUTED)
    )


def _question(state: State, width: int, rows: int) -> list[Content]:
    text = safe(state.prompt.message if state.own else state.limits.items[state.at].ask)
    lines = wrapped(Content.styled(" ".join(text.split()), "bold"), width)
    if len(lines) > rows:
        rest = " ".join(line.plain for line in lines[rows - 1 :])
        lines = [*lines[: rows - 1], Content.styled(figures.fit(rest, width), "bold")]
    return lines


def _before(state: State, width: int) -> list[Content]:
    """Return the text that the current way of asking adds to the question."""
    if state.way == "unsure":
        said = _("system: {system}").format(system=lab.SYSTEM)
    elif state.way == "fact":
        item = state.item
        said = (
            _("fact: {fact}").format(fact=item.fact)
            if item
            else _("Press e to add a fact before your question.")
        )
    else:
        return []
    return wrapped(Content.styled(said, MUTED), width)


def _figures(reply: Reply, room: Room) -> Content:
    least = min(range(len(reply.logs)), key=reply.logs.__getitem__)
    token = visible(reply.pieces[least]) or "∅"
    share = figures.percent(math.exp(reply.logs[least]))
    token = clipped(token, 10)
    certain = _certain(reply)
    if not room.roomy:
        return Content.assemble(
            certain, (_("   least {token} {share}").format(token=token, share=share), MUTED)
        )
    mean = _("   {mean:.2f} nats per token   least probable: {token} {share}").format(
        mean=reply.mean, token=token, share=share
    )
    return Content.assemble(certain, (mean, MUTED))


def _judgment(state: State, reply: Reply, width: int) -> Content:
    item = state.item
    if item is None:
        return Content.styled(_("Your own question isn't checked. Look up the answer."), MUTED)
    mark, style = MARKS[verdict(reply.text, state.accepted)]
    if not state.accepted:
        why = _("nothing with this name exists")
    elif item.real:
        why = f"{state.accepted[0]}: {item.look_up}"
    else:
        why = _("{accepted}, according to the made-up fact").format(accepted=state.accepted[0])
    return Content.assemble((mark, style), (figures.fit(f"  {why}", width - len(mark)), MUTED))


def _draws(state: State, width: int, rows: int) -> list[Content]:
    drawn, total = state.draws.get(state.prompt, ()), state.limits.draws
    busy = state.drawing is not None or bool(state.running)
    if not drawn:
        none = (
            _("There are no samples yet.")
            if busy
            else _("Press r to sample {total} answers.").format(total=total)
        )
        return [Content(""), Content.styled(none, MUTED)]
    done = sum(reply.done for reply in drawn)
    found = lab.gists(state)
    if done < total:
        more = "" if busy else _("; press r to continue")
        said = Content.styled(
            _("{done} of {total} sampled{more}").format(done=done, total=total, more=more), MUTED
        )
    else:
        agree = _("{found} of {total} agree").format(found=found[0][1], total=total)
        how = _("   on the first new word")
        meant = _(" (not in the question, not a common word)")
        how += meant if len(agree + how + meant) <= width else ""
        said = Content.assemble((agree, "bold"), (how, MUTED))
    counts = "  ".join(f"{count} × {safe(words)}" for words, count in found)
    lines = [Content(""), said, Content(clipped(counts, width))]
    whole = [reply for reply in drawn if reply.done]
    return [*lines, *(_drawn(reply, width) for reply in whole[: max(0, rows - 2)])]


def _drawn(reply: Reply, width: int) -> Content:
    text = safe(" ".join(reply.text.split()))
    certain = f"{100 * reply.certainty:>3.0f} %  "
    return Content.assemble((certain, MUTED), clipped(text, width - len(certain)))


def _calibration(state: State, room: Room) -> list[Content]:
    found = list(lab.judged(state, state.way))
    good = sum(each.good for each in found)
    heading = f"{_('certainty'):<12}{_('answers'):>8}{_('mean'):>9}{_('right'):>8}"
    rows = lab.calibration(found)
    error = _("expected calibration error {expected_error:.0f} points").format(
        expected_error=100 * expected_error(rows)
    )
    summary = (
        _("good answers: {good} of {count}   {error}").format(
            good=good, count=len(found), error=error
        )
        if room.roomy
        else error
    )
    said = _(
        "Certainty is the geometric mean of an answer's token probabilities. An answer is good if "
        "it is right, or if it declines a question about something that doesn't exist. In this "
        "table, good answers count as right."
    )
    table = [Content.styled(heading, MUTED), *(_bin(each) for each in reversed(rows))]
    if room.roomy:
        table = beside(table, _diagram(rows, min(_MOST_PLOT, room.width - _TABLE)), _TABLE)
    return [
        Content.assemble((f"{NAMES[state.way]}   ", ACT), _progress(state, room.width - 16)),
        Content.styled(summary if found else "", "bold"),
        *table,
        *([] if room.low else _note(said, room.width)),
    ]


def _bin(found: Bin) -> Content:
    name = _("{low:>2.0f} to {high:>3.0f} %").format(low=100 * found.low, high=100 * found.high)
    if not found.count:
        return Content.styled(f"{name:<12}{0:>8}", MUTED)
    return Content.assemble(
        f"{name:<12}{found.count:>8}",
        (f"{100 * found.certainty:>7.0f} %", MUTED),
        (f"{100 * found.share_right:>6.0f} %", "bold"),
    )


def _diagram(rows: Sequence[Bin], width: int) -> list[Content]:
    """Plot each bin's accuracy against its certainty, with the diagonal of perfect calibration."""
    found = [(each.certainty, each.share_right) for each in rows if each.count]
    certainty = plot.Axis(0.0, 1.0, _("% certain"), percent=True)
    lines = plot.curves(
        sorted(found),
        [(0.0, 0.0), (1.0, 1.0)],
        certainty,
        plot.Axis(0.0, 1.0, percent=True),
        width,
        _PLOT_HEIGHT,
        marked=True,
    )
    return [
        plot.legend((_("this model"), _("perfect")), lines, unit=_("% right")),
        *lines,
    ]


def _note(said: str, width: int) -> list[Content]:
    return [Content(""), *wrapped(Content.styled(said, MUTED), width)]


def _ways(state: State, room: Room) -> list[Content]:
    found = {way: list(lab.judged(state, way)) for way in lab.WAYS}
    if room.roomy:
        table = _table(found, (True, False))
    else:
        table = [*_table(found, (True,)), *_table(found, (False,))]
    nothing = sum(not item.real and not item.accept for item in state.limits.items)
    said = _(
        "Questions about invented things have no right answer (–) unless the prompt contains the "
        "made-up fact. For {nothing} of them, the fact says that there is no such thing, so the "
        "model should still decline. “May decline” adds the system message “{system}” The "
        "lesson's counts can differ by one or two, since they were computed in higher precision."
    ).format(nothing=nothing, system=lab.SYSTEM)
    note = [] if room.low else _note(said, room.width)
    return [_progress(state, room.width), *table, *note]


_COLUMNS: dict[Verdict, int] = {"right": 7, "wrong": 7, "declined": 10}
_NARROW: dict[Verdict, int] = {"right": 6, "wrong": 6, "declined": 9}
_LEAD = 15


def _table(found: dict[Way, list[Judged]], kinds: tuple[bool, ...]) -> list[Content]:
    """Return a table with the number of right, wrong and declined answers for each way of asking.

    `kinds` selects real things (True), invented things (False), or both side by side.
    """
    sizes = _COLUMNS if len(kinds) > 1 else _NARROW
    room = sum(sizes.values())
    names = "".join(f"{_(name):>{size}}" for name, size in sizes.items()) * len(kinds)
    titles = "".join(
        f"{_('real things') if real else _('invented things'):>{room}}" for real in kinds
    )
    lead = "" if len(kinds) > 1 else _("real") if kinds[0] else _("invented")
    lines = [Content.styled(f"{lead:<{_LEAD}}{names}", MUTED)]
    if not lead:
        lines.insert(0, Content.styled(f"{'':<{_LEAD}}{titles}", MUTED))
    for way, asked in found.items():
        cells = "".join(_cells(asked, way, real, sizes) for real in kinds)
        lines.append(Content(f"{NAMES[way]:<{_LEAD}}{cells}"))
    return lines


def _cells(asked: list[Judged], way: Way, real: bool, sizes: dict[Verdict, int]) -> str:
    counts = lab.tally(asked, real=real)
    shown = {name: str(counts[name]) for name in sizes}
    if not any(each.item.real is real for each in asked):
        shown = dict.fromkeys(sizes, "·")
    elif not real and way != "fact":
        shown["right"] = "–"
    return "".join(f"{shown[name]:>{size}}" for name, size in sizes.items())


def _progress(state: State, width: int) -> Content:
    asked = lab.progress(state)
    if state.running:
        return progress_line(asked, width)
    if asked.done == asked.total:
        said = _("All {total} questions are answered.").format(total=asked.total)
    elif asked.done:
        said = _("{done} of {total} answered. Press r to ask the rest.").format(
            done=asked.done, total=asked.total
        )
    else:
        said = _("Press r to ask all {total} questions.").format(total=asked.total)
    return Content.styled(said, MUTED)


VIEW = CertaintyView
