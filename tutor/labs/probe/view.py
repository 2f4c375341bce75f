"""The view of the "Linear probes" lab."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import bars, plot
from tutor.labs.kit import heat
from tutor.labs.kit.actions import EditText, NewSeed
from tutor.labs.kit.columns import Cell, Room, around, clipped, cursor, wrapped
from tutor.labs.kit.intervals import interval_line, percent_range
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.next_tokens.table import next_table
from tutor.labs.kit.progress_line import progress_line, reading_line
from tutor.labs.kit.proportions import wilson
from tutor.labs.kit.sentence import edit_sentence, sentence
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.probe.lab import MILDER, VIEWS, Added, Answers, State, Trained, reset
from tutor.language import _
from tutor.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_PLOT = 2
_MOST_PLOT = 16
_SAMPLES = {
    "sentiment": "The film was not good",
    "truth": "Clearly, Vienna is a city in Austria",
    "number": "The old picture of the mountains",
}


class ProbeView(LabView):
    """A view of the probes: their accuracy, their errors, and the effect of their directions."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "move_focus(*, 'layer')", "layer", "Choose the layer of the probe."),
        *pair(UP_DOWN, "move_focus(*, 'sentence')", "sentence", "Choose a sentence."),
        *pair(UP_DOWN, "weaken(*)", "steer", "Change the strength of the direction."),
        *pair(P_N, "move_focus(*, 'error')", "error", "Go to the previous or next wrong answer."),
        *tab("next_view(*)", "view", "Show accuracy, examples, or causality."),
        key("x", "choose(1, 'set')", "next set", "Load the next set of sentences."),
        key("e", "edit", "edit", "Write a sentence for the probe, or edit the prompt."),
        key("s", "new_seed", "new labels", "Draw new random labels for the control task."),
        key("z", "reset", "reset", "Reset layer, strength and seed."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "move_focus:sentence": lambda state: state.view == "examples",
        "move_focus:error": lambda state: state.view == "examples",
        "weaken": lambda state: state.view == "causality",
        "new_seed": lambda state: state.view == "accuracy",
        "reset": lambda state: reset(state) is not None,
    }

    action_new_seed = does(NewSeed)

    def action_weaken(self, by: int) -> None:
        """Lower the strength by `by` steps. The up key passes a negative `by` to raise it."""
        self.action_adjust(-by, "strength")

    def action_edit(self) -> None:
        state: State = self.state
        if state.view == "causality":
            self.write("prompt", _("A prompt for the model:"), state.prompt, _edit_prompt)
        else:
            sample = _SAMPLES[state.of]
            label = _("A sentence for the probe:")
            self.write("sentence", label, state.sentence, edit_sentence, sample=sample)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        room = Room(width, height)
        above = [_heading(state, room)]
        trained = state.trained
        if trained is None:
            said = _("processing the sentences")
            if state.progress is None:
                return [*above, Content.styled(f"{said} …", MUTED)]
            return [*above, progress_line(state.progress, width, doing=said if room.roomy else "")]
        left = Room(width, height - len(above))
        if state.view == "accuracy":
            return [*above, *_accuracy(state, trained, left)]
        if state.view == "examples":
            return [*above, *_examples(state, trained, left)]
        return [*above, *_causality(state, trained, left)]


def _edit_prompt(text: str) -> EditText:
    return EditText(sentence(text), "prompt")


def _heading(state: State, room: Room) -> Content:
    parts = tabs((name, name == state.view) for name in VIEWS)
    if not room.roomy:
        return Content.assemble(parts)
    first, second = state.set.labels
    heading = Content.assemble(
        parts,
        ("  ", ""),
        (_(state.of), "bold"),
        (_(": {first} or {second}").format(first=_(first), second=_(second)), MUTED),
    )
    longer = Content.assemble(heading, (_("  (x: next)"), MUTED))
    return longer if longer.cell_length <= room.width else heading


def _place(layer: int) -> str:
    return _("after block {block}").format(block=layer) if layer else _("embedding")


def _accuracy(state: State, trained: Trained, room: Room) -> list[Content]:
    below = _chosen(state, trained, room)
    if state.control is None:
        below.append(_working(state, room.width))
    height = min(_MOST_PLOT, room.height - len(below) - 2)
    if height < _LEAST_PLOT:
        return below
    return [*_plot(state, trained, room, height), *below]


def _plot(state: State, trained: Trained, room: Room, height: int) -> list[Content]:
    """Plot the accuracy in both tasks by layer, with a mark below the selected layer."""
    last, count = trained.layers - 1, len(trained.held_out)
    right = [(float(at), trained.accuracy(at)) for at in range(trained.layers)]
    control = []
    if state.control is not None:
        control = [(float(at), each / count) for at, each in enumerate(state.control.right)]
    lowest = min([0.5, *(value for _at, value in (*right, *control))])
    y = plot.Axis(floor(10 * lowest) / 10, 1.0, percent=True)
    x = plot.Axis(0.0, float(last), _("blocks"))
    names = (_("held-out sentences"), _("control task")) if room.roomy else (state.of, _("control"))
    lines = plot.curves(right, control, x, y, room.width, height)
    return [
        plot.legend(names, lines, unit=_("% right")),
        *lines,
        plot.mark_below(state.layer, x, y, room.width, height),
    ]


def _chosen(state: State, trained: Trained, room: Room) -> list[Content]:
    """Return the accuracies at the selected layer with their intervals, and their difference."""
    count = len(trained.held_out)
    rows = [(_("held out"), trained.right(state.layer))]
    if state.control is not None:
        rows.append((_("control"), state.control.right[state.layer]))
    place = _place(state.layer)
    lines = []
    for at, (said, right) in enumerate(rows):
        lead = place if at == 0 else ""
        name = f"{lead:<18}{said:<10}" if room.roomy else f"{lead or said:<15}"
        line: list[Cell] = [
            (name, "" if at else "bold"),
            (f"{100 * right / count:>4.0f} %", "bold"),
            (f"  {percent_range(wilson(right, count))}", ""),
        ]
        text = Content.assemble(*line)
        rest = min(30, room.width - text.cell_length - 14)
        if rest >= 12:
            text = Content.assemble(
                text,
                (_("  {right:>3} of {count}  ").format(right=right, count=count), MUTED),
                interval_line(right, count, rest),
            )
        lines.append(text)
    if not room.low:
        lines.append(_note(state, trained, room))
        lines += wrapped(Content.styled(MILDER, MUTED), room.width)
    return lines


def _note(state: State, trained: Trained, room: Room) -> Content:
    """Return a line with the selectivity and the accuracy on the training sentences."""
    parts: list[Cell] = []
    if state.selectivity is not None:
        points = round(100 * state.selectivity)
        parts += [
            (_("selectivity "), MUTED),
            (_("{points:+d} points").format(points=points), "bold"),
        ]
    if room.roomy:
        fitted = 100 * trained.fitted[state.layer] / trained.count
        said = _("   training set {fitted:.0f} %   control labels: random per {word}")
        parts.append((said.format(word=_(state.set.control), fitted=fitted), MUTED))
    return Content.assemble(*parts)


def _working(state: State, width: int) -> Content:
    if state.progress is None:
        return Content.styled(_("training the control task…"), MUTED)
    return progress_line(state.progress, width, doing=_("control") if width > 60 else "")


def _examples(state: State, trained: Trained, room: Room) -> list[Content]:
    count = len(trained.held_out)
    wrong = count - trained.right(state.layer)
    first = state.set.labels[0]
    above = [
        Content.assemble(
            (_place(state.layer), "bold"),
            (_("   {wrong} of {count} wrong").format(wrong=wrong, count=count), ""),
            (_("   probability of “{label}”").format(label=_(first)) if room.roomy else "", MUTED),
        ),
        *_own(state, room),
    ]
    lines = []
    for at in around(state.row, count, max(1, room.height - len(above))):
        lines.append(_example(state, trained, at, room.width))
    return [*above, *lines]


def _own(state: State, room: Room) -> list[Content]:
    """Return the learner's sentence, with its probability at every layer as a row of bars."""
    if not state.sentence:
        return [Content.styled(_("Press e to write a sentence of your own."), MUTED)]
    if state.judged is None:
        return [reading_line(_("processing"), state.progress, room.width)]
    found = state.judged.probabilities
    text = Content.assemble(
        (f"  {heat.percent(found[state.layer]):>7}  ", "bold"),
        (clipped(one_line(state.sentence), room.width - 12), ACT),
    )
    if state.judged.left_out:
        said = _("  {tokens} left out").format(tokens=counted(state.judged.left_out, "token"))
        text = Content.assemble(text, (said, MUTED))
    if room.low:
        return [text]
    said = _("embedding {percent} ").format(percent=heat.percent(found[0]))
    shown = found[: max(1, room.width - len(said) - 4)]
    marked = [
        (char, f"{ACT} bold reverse" if at == state.layer else ACT)
        for at, char in enumerate(plot.upright(shown, 1, 1)[0])
    ]
    return [text, Content.assemble((f"  {said}", MUTED), *marked), Content("")]


def _example(state: State, trained: Trained, at: int, width: int) -> Content:
    each, here = trained.held_out[at], at == state.row
    wrong = trained.wrong(state.layer, at)
    label = _(state.set.labels[0 if each.label else 1])
    longest = max(len(one.text) for one in trained.held_out)
    room = min(longest, max(10, width - 24))
    return Content.assemble(
        cursor(here),
        (f"{heat.percent(trained.probabilities[state.layer][at]):>7} ", "bold" if here else ""),
        ("× " if wrong else "✓ ", f"{NOT_YET} bold" if wrong else RIGHT),
        f"{clipped(one_line(each.text), room):<{room}}",
        (f" {label}", MUTED),
    )


def _causality(state: State, trained: Trained, room: Room) -> list[Content]:
    interval = percent_range(trained.interval(state.layer)).strip()
    above = [
        Content.assemble(
            (_("prompt  ") if room.roomy else "", MUTED),
            (clipped(one_line(state.prompt), room.width - 9), ACT),
        ),
        Content.assemble(
            (_place(state.layer), "bold"),
            (_("  right {interval}").format(interval=interval), MUTED),
            (_("  strength "), MUTED),
            (f"{state.strength:+.1f}", "bold"),
            (_("  (↑↓)") if room.roomy else "", MUTED),
        ),
    ]
    found = state.shown
    if found is None:
        return [*above, reading_line(_("processing"), state.progress, room.width)]
    above += _answers(state, found, room)
    left = room.height - len(above) - 2
    if room.low or left < 3:
        return above
    return [
        *above,
        Content(""),
        Content.styled(_("next token, unchanged → with the probe's direction"), MUTED),
        *next_table(found.rows, room.width, left),
    ]


def _answers(state: State, found: Added, room: Room) -> list[Content]:
    """Return a table of both answers' probabilities.

    Its rows are: unchanged, with the probe's direction, and with a random direction.
    """
    column = max(9, min(24, (room.width - 12) // 2))
    last = _("share of both") if room.width >= 12 + 2 * column + len(_("share of both")) else ""
    names = [clipped(" ".join(words), column - 2) for words in state.set.answers]
    lead = 12
    heading = " " * lead + "".join(f"{name:<{column}}" for name in names)
    lines = [Content.styled(heading + last, MUTED)]
    rows: Sequence[tuple[str, Answers, bool]] = (
        (_("unchanged"), found.before, False),
        (_("probe"), found.after, True),
        (_("random"), found.chance, False),
    )
    for name, answers, strong in rows:
        parts: list[Cell | Content] = [(f"{name:<{lead}}", "bold" if strong else MUTED)]
        for value in (answers.first, answers.second):
            bar = bars.bar(value, max(0, column - 10))
            parts += [
                (f"{heat.percent(value):>7} ", "bold" if strong else ""),
                (f"{bar:<{column - 8}}", ACT if strong else MUTED),
            ]
        if last:
            kept = heat.percent(found.kept(answers))
            parts.append((f"{kept:>{len(last)}}", "bold" if strong else ""))
        lines.append(Content.assemble(*parts))
    return lines


VIEW = ProbeView
