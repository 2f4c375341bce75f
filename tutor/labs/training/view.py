"""The view of the "Training" lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.key_scheme import lab_keys
from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import figures, plot
from tutor.labs.kit.actions import Run
from tutor.labs.kit.columns import LOW, ROOMY
from tutor.labs.kit.keys import LEFT_RIGHT, Keys, key, pair, run_and_stop
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.training.lab import MOST_STEPS, RATES, RestoreSaved, Save, State
from tutor.language import _
from tutor.lm.training.history import BYTES_PER_STEP, LARGEST_LOSS, PROMPT
from tutor.text import counted, safe

_HIGHEST = 6.0
"""The loss at the top of the plot, in nats. The loss of an untrained network is a little lower."""
_LEAST_PLOT, _MOST_PLOT = 3, 12


class TrainingView(LabView):
    """A view of the progress, the settings, the two loss curves, and samples from the network."""

    FIRST_KEYS = lab_keys("ctrl+s", "b", "m")
    BINDINGS: ClassVar[Keys] = [
        *run_and_stop(
            "r", "run", _("Train for up to 500 steps."), _("Stop. You can continue later.")
        ),
        Binding("p", "stop", show=False),
        *pair(LEFT_RIGHT, "adjust(*, 'rate')", "rate", "Raise or lower the learning rate."),
        key("m", "switch('mask')", "mask", "Switch the causal mask on or off."),
        key("t", "switch('targets')", "targets", "Switch between real and shuffled targets."),
        key("ctrl+s", "save", "save", "Save this network so that you can restore it."),
        key("b", "restore", "restore", "Restore the saved network."),
        key("z", "reset", "reset", "Discard this network and the saved one."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "run": lambda state: state.done < MOST_STEPS,
        "save": lambda state: state.done > 0,
        "restore": lambda state: state.saved is not None,
        "reset": lambda state: state.done > 0 or state.saved is not None,
    }

    action_pause = does(Run)
    action_save = does(Save)
    action_restore = does(RestoreSaved)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = height < LOW
        above = [_status(state, width), _choices(state, width), _losses(state, width)]
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
        said = _("Press z again to discard the networks. This cannot be undone.")
        return Content.styled(said, f"{ACT} bold")
    if state.lost:
        lost = _("The engine stopped, losing {steps}.").format(steps=counted(state.lost, "step"))
        return Content.styled(lost, ACT)
    if state.found == state.done > 0 and not state.running:
        found = _("This run was paused after step {found:,}. Press r to continue.").format(
            found=state.found
        )
        return Content.styled(found, ACT)
    return None


def _status(state: State, width: int) -> Content:
    if "look" in state.owed:
        return Content.styled(_("Looking for an earlier training run…"), MUTED)
    parts: list[tuple[str, str] | str] = [
        (_("step {done}").format(done=figures.count(state.done)), "bold")
    ]
    if state.running:
        parts.append((_(" of {until}").format(until=figures.count(state.until)), MUTED))
        if state.seconds_left is not None:
            speed = figures.count(round(state.steps_a_second * BYTES_PER_STEP))
            parts.append(
                (
                    _("   {time} left   {speed} bytes/s").format(
                        time=_time(state.seconds_left), speed=speed
                    ),
                    MUTED,
                )
            )
    elif state.done >= MOST_STEPS:
        parts.append((_("   finished"), MUTED))
    else:
        parts.append((_("   paused") if state.done else _("   press r to train"), MUTED))
    if state.saved is not None and width >= ROOMY:
        parts.append((_("   saved: step {saved}").format(saved=figures.count(state.saved)), MUTED))
    return Content.assemble(*parts)


def _time(seconds: float) -> str:
    whole = round(seconds)
    return (
        _("{whole}:{whole2:02} min").format(whole=whole // 60, whole2=whole % 60)
        if whole >= 60
        else f"{whole} s"
    )


def _choices(state: State, width: int) -> Content:
    words = width >= ROOMY
    mask = (_("mask on"), MUTED) if state.mask else (_("mask OFF"), f"{NOT_YET} bold")
    targets = (_("real"), MUTED) if not state.shuffled else (_("SHUFFLED"), f"{NOT_YET} bold")
    return Content.assemble(
        (_("learning rate ") if words else _("rate "), MUTED),
        (f"{RATES[state.rate]:<7g}", "bold"),
        (_("  causal ") if words else " ", MUTED), mask,
        (_("   targets ") if words else "  ", MUTED), targets,
    )  # fmt: skip


def _losses(state: State, width: int) -> Content:
    training = state.points[-1].loss if state.points else None
    held_out = state.measured[-1].loss if state.measured else None
    unit = _("nats per byte") if width >= ROOMY else ""
    return Content.assemble(
        plot.KEYS[0], _("training "), (_loss(training), "bold"),
        "  ", plot.KEYS[1], _("held out "), (_loss(held_out), "bold"),
        (f"   {unit}", MUTED),
    )  # fmt: skip


def _loss(loss: float | None) -> str:
    if loss is None:
        return "   –"
    return "  ∞ " if loss >= LARGEST_LOSS else f"{loss:.2f}"


def _plot(state: State, width: int, height: int) -> list[Content]:
    """Return a plot of both loss curves over all steps so far."""
    if not state.points or not state.measured:
        return [Content.styled(_("The loss curves will appear here."), MUTED)]
    return plot.curves(
        _means([(point.step, point.loss) for point in state.points], 2 * width),
        [(each.step, each.loss) for each in state.measured],
        plot.up_to(state.done, "steps"),
        plot.Axis(0.0, _HIGHEST),
        width,
        height,
    )


def _means(known: Sequence[tuple[int, float]], most: int) -> list[tuple[float, float]]:
    """Average groups of consecutive points, and return at most `most` means."""
    count = -(-len(known) // most)
    parts = [known[start : start + count] for start in range(0, len(known), count)]
    return [
        (sum(step for step, _ in part) / len(part), sum(loss for _, loss in part) / len(part))
        for part in parts
    ]


def _samples(state: State, width: int, most: int) -> list[Content]:
    """Return the latest samples from the network, newest first."""
    heading = _("  step  sample after “{decode}”, always with the same seed").format(
        decode=PROMPT.decode()
    )
    lines = [Content.styled(heading, MUTED)]
    for each in reversed(state.measured[-most:]):
        text = safe(each.sample.decode("utf-8", "replace")).replace("\n", "⏎")
        line = Content.assemble(
            (f"{figures.count(each.step):>6}  ", MUTED), (PROMPT.decode(), MUTED), text
        )
        lines.append(line.truncate(width, ellipsis=True))
    return lines


VIEW = TrainingView
