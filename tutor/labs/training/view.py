"""Draws a training that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import figures, plot
from tutor.labs.kit.actions import Run
from tutor.labs.kit.columns import LOW, ROOMY
from tutor.labs.kit.keys import RIGHT_LEFT, Keys, key, pair
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.training.lab import MOST_STEPS, RATES, Discard, RestoreSaved, Save, State
from tutor.lm.training.history import BYTES_A_STEP, NO_NUMBER, PROMPT
from tutor.text import counted, safe

_HIGHEST = 6.0
"""Nats at the top of the plot: a little above what a network pays that knows nothing."""
_SCALE = 7
_LEAST_PLOT, _MOST_PLOT = 3, 12


class TrainingView(LabView):
    """Where it stands, the two curves of the loss, and what the network writes by now."""

    BINDINGS: ClassVar[Keys] = [
        key("r", "run", "run", "Train on; it pauses by itself after 500 steps."),
        key("p", "pause", "pause", "Stop for now; nothing is lost."),
        *pair(RIGHT_LEFT, "adjust(*, 'rate')", "rate", "The learning rate."),
        key("m", "switch('mask')", "mask on/off", "Train without the causal mask, or with it."),
        key("t", "switch('targets')", "targets", "Shuffle the targets, or take the real ones."),
        key("s", "save", "save", "Keep this network, to come back to it."),
        key("b", "restore", "back to saved", "Go back to what was saved."),
        key("d", "discard", "throw away", "Throw away the network and what was saved."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "run": lambda state: not state.running and state.done < MOST_STEPS,
        "pause": lambda state: state.running,
        "save": lambda state: state.done > 0,
        "restore": lambda state: state.saved is not None,
        "discard": lambda state: state.done > 0 or state.saved is not None,
    }

    action_pause = does(Run)
    action_save = does(Save)
    action_restore = does(RestoreSaved)
    action_discard = does(Discard)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = height < LOW
        above = [_standing(state, width), _choices(state, width), _losses(state, width)]
        if note := _note(state):
            above.insert(0, note)
        samples = max(1, min(4, height // 5))
        rows = height - len(above) - (2 if low else samples + 3)
        curves = _plot(state, width, min(_MOST_PLOT, max(_LEAST_PLOT, rows)))
        written = _samples(state, width, 1 if low else max(samples, height - 30))
        if low:
            return [*above[:-1], *written[1:], above[-1], *curves]
        return [*above, *curves, Content(""), *written]


def _note(state: State) -> Content | None:
    if state.sure:
        return Content.styled("Throw it away, and what was saved? d again does.", f"{ACT} bold")
    if state.lost:
        lost = f"The engine stopped: {counted(state.lost, 'step')} are lost, it goes on from there."
        return Content.styled(lost, ACT)
    if state.found == state.done > 0 and not state.running:
        return Content.styled(f"Found as it was left after step {state.found:,}: r goes on.", ACT)
    return None


def _standing(state: State, width: int) -> Content:
    if "look" in state.owed:
        return Content.styled("looking for a training that was begun earlier", MUTED)
    parts: list[tuple[str, str] | str] = [(f"step {figures.count(state.done)}", "bold")]
    if state.running:
        parts.append((f" of {figures.count(state.until)}", MUTED))
        if state.seconds_left is not None:
            speed = figures.count(round(state.steps_a_second * BYTES_A_STEP))
            parts.append((f"   {_time(state.seconds_left)} left   {speed} bytes/s", MUTED))
    elif state.done >= MOST_STEPS:
        parts.append(("   that is the last one", MUTED))
    else:
        parts.append(("   paused" if state.done else "   r begins", MUTED))
    if state.saved is not None and width >= ROOMY:
        parts.append((f"   saved: step {figures.count(state.saved)}", MUTED))
    return Content.assemble(*parts)


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} min" if whole >= 60 else f"{whole} s"


def _choices(state: State, width: int) -> Content:
    words = width >= ROOMY
    mask = ("mask on", MUTED) if state.mask else ("mask OFF", f"{NOT_YET} bold")
    targets = ("real", MUTED) if not state.shuffled else ("SHUFFLED", f"{NOT_YET} bold")
    return Content.assemble(
        ("learning rate " if words else "rate ", MUTED),
        (f"{RATES[state.rate]:<7g}", "bold"),
        ("  causal " if words else " ", MUTED), mask,
        ("   targets " if words else "  ", MUTED), targets,
    )  # fmt: skip


def _losses(state: State, width: int) -> Content:
    training = state.points[-1].loss if state.points else None
    held_out = state.measured[-1].loss if state.measured else None
    unit = "nats a byte" if width >= ROOMY else ""
    return Content.assemble(
        (plot.YOU, ACT), " training ", (_loss(training), "bold"),
        ("   " + plot.MODEL, ACT), " held out ", (_loss(held_out), "bold"),
        (f"   {unit}", MUTED),
    )  # fmt: skip


def _loss(loss: float | None) -> str:
    if loss is None:
        return "   –"
    return "  ∞ " if loss >= NO_NUMBER else f"{loss:.2f}"


def _plot(state: State, width: int, height: int) -> list[Content]:
    """Both curves over all steps so far, in as many columns as there is something to show."""
    if not state.points or not state.measured:
        return [Content.styled("the curves of the loss come here", MUTED)]
    columns = max(1, min(width - _SCALE, 1 + state.done // 5))
    steps = [(column + 1) * state.done / columns for column in range(columns)]
    training = _means(steps, [(point.step, point.loss) for point in state.points])
    held_out = _between(steps, [(each.step, each.loss) for each in state.measured])
    lines = plot.two_curves(training, held_out, height)
    return [Content(line) for line in lines]


def _means(steps: Sequence[float], known: Sequence[tuple[int, float]]) -> list[float]:
    """At each of these steps, the mean of what is known since the one before, or else the last."""
    values: list[float] = []
    place, last = 0, known[0][1]
    for step in steps:
        here = []
        while place < len(known) and known[place][0] <= step:
            here.append(known[place][1])
            place += 1
        last = sum(here) / len(here) if here else last
        values.append(min(last, _HIGHEST))
    return values


def _between(steps: Sequence[float], known: Sequence[tuple[int, float]]) -> list[float]:
    """At each of these steps, what lies on the line from one known value to the next."""
    values = []
    for step in steps:
        after = next((place for place, (at, _) in enumerate(known) if at >= step), len(known) - 1)
        (x0, y0), (x1, y1) = known[max(0, after - 1)], known[after]
        share = min(1.0, (step - x0) / (x1 - x0)) if x1 > x0 else 0.0
        values.append(min(y0 + share * (y1 - y0), _HIGHEST))
    return values


def _samples(state: State, width: int, most: int) -> list[Content]:
    """What the network wrote, the latest first."""
    heading = f"  step  after “{PROMPT.decode()}”, always with the same luck"
    lines = [Content.styled(heading, MUTED)]
    for each in reversed(state.measured[-most:]):
        text = safe(each.sample.decode("utf-8", "replace")).replace("\n", "⏎")
        line = Content.assemble(
            (f"{figures.count(each.step):>6}  ", MUTED), (PROMPT.decode(), MUTED), text
        )
        lines.append(line.truncate(width, ellipsis=True))
    return lines


VIEW = TrainingView
