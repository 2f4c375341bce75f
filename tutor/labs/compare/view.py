"""The view of the "One prompt, several models" lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.labs.compare.lab import MOST_MODELS, MOST_TOKENS, TEMPERATURES, Ask, State, cost
from tutor.labs.kit import remote
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import Column, Room, beside, cursor, fitting, wrapped
from tutor.labs.kit.keys import UP_DOWN, key, pair, run_and_stop
from tutor.labs.kit.remote import Remove
from tutor.labs.kit.view import LabView, Offered, does
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from tutor.labs.compare.lab import Model, Reply

_COLUMNS = (
    Column(_("first"), 9, right=True),
    Column(_("tokens"), 8, right=True),
    Column(_("tokens/s"), 10, right=True),
    Column(_("dollars"), 11, right=True),
)
_NAME = 30
_SHORT_NAME = 18
_GAP = 2
_COLUMN = 24
"""The minimum width of an answer, in columns, if two answers are shown side by side."""


class CompareView(LabView):
    """A view of the models with their measurements, and of their answers side by side."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *run_and_stop("r,enter", "run", _("Send the prompt to all chosen models.")),
        key("e", "edit", "edit", "Edit the prompt."),
        *pair(UP_DOWN, "move_focus(*, 'model')", "model", "Move to another model."),
        key("space", "switch('model')", "choose", "Include or exclude this model."),
        key("t", "adjust(1, 'temperature')", "temperature", "Change the temperature; 0 is greedy."),
        key("a", "add", "add", "Add a remote model by its name and address."),
        key("d", "remove", "remove", "Remove this remote model."),
    ]

    OFFERED: ClassVar[Offered[State]] = {"remove": lambda state: state.removable}

    action_run = action_stop = does(Ask)

    def action_edit(self) -> None:
        self.write("prompt", _("Prompt for all chosen models:"), self.state.prompt, EditText)

    def action_add(self) -> None:
        self.write(remote.NAME, remote.LABEL, "", remote.named, sample=remote.EXAMPLE)

    action_remove = does(Remove)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "add" and not self.host.allowed.other_servers:
            return False
        return super().check_action(action, parameters)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        if not state.models:
            return [Content.styled(_("Looking for models…"), MUTED)]
        if Room(width, height).low:
            return _briefly(state, width)
        names = "".join(column.cell(column.heading) for column in _fitting(width))
        return [
            _prompt(state, width),
            Content.styled(f"    {_('model'):<{_name_width(width)}}{names}", MUTED),
            *(_row(state, place, width) for place in range(len(state.models))),
            Content(""),
            *_answers(state, width),
        ]


def _prompt(state: State, width: int) -> Content:
    temperature = f"T {TEMPERATURES[state.temperature]:g}"
    prompt = figures.fit(" ".join(safe(state.prompt).split()), max(8, width - 8))
    return Content.assemble((prompt, "bold"), (f"{temperature:>8}", MUTED))


def _name_width(width: int) -> int:
    return (
        _NAME if width >= _NAME + sum(column.width for column in _COLUMNS[:3]) + 4 else _SHORT_NAME
    )


def _fitting(width: int) -> list[Column]:
    return fitting(_COLUMNS, width - _name_width(width) - 4)


def _row(state: State, place: int, width: int) -> Content:
    model, reply = state.models[place], state.replies.get(place)
    chosen = place in state.chosen
    name = figures.fit(safe(state.names[place]), _name_width(width))
    here = place == state.focus
    return Content.assemble(
        cursor(here),
        ("■ " if chosen else "□ ", ACT if chosen else MUTED),
        (name, "bold" if here else "" if chosen else MUTED),
        _figures(model, reply, width, MUTED if state.outdated else "")
        if place not in state.refused
        else Content.styled(_("  nothing sent"), MUTED),
    )


def _figures(model: Model, reply: Reply | None, width: int, style: str) -> Content:
    if reply is None:
        return Content.styled(
            "" if model.key else _("  needs {variable}").format(variable=model.variable), MUTED
        )
    price = cost(model, reply)
    first, a_second, tokens = reply.first_after, reply.a_second, reply.answer_tokens
    cells = {
        _("first"): f"{first:.2f} s" if first is not None else "…" if not reply.over else "–",
        _("tokens"): "–" if tokens is None else str(tokens),
        _("tokens/s"): "–" if a_second is None else f"{a_second:.1f}",
        _("dollars"): _("none") if model.here else "–" if price is None else f"{price:.6f}",
    }
    line = "".join(column.cell(cells[column.heading]) for column in _fitting(width))
    return Content.styled(line, style)


def _answers(state: State, width: int) -> list[Content]:
    """Return the answers side by side.

    If they don't fit, return only the focused model's answer.
    """
    places = list(state.replies)
    if not places:
        return [Content.styled(_("Press r to ask the models marked ■."), MUTED)]
    above = _said_to(state, width)
    column = (width - _GAP * (len(places) - 1)) // len(places)
    if column < _COLUMN:
        place = state.focus if state.focus in places else places[0]
        return [*above, *_answer(state, place, width)]
    lines: list[Content] = []
    for number, place in enumerate(places):
        answer = [line.truncate(column) for line in _answer(state, place, column)]
        lines = answer if not number else beside(lines, answer, number * (column + _GAP))
    return [*above, *lines]


def _said_to(state: State, width: int) -> list[Content]:
    """Return a note if the prompt or the temperature has changed since the latest run."""
    if not state.outdated:
        return []
    if state.asked == state.prompt:
        at = f"{TEMPERATURES[state.asked_at]:g}"
        said = _("Answers at temperature {at}. Press r to ask again.").format(at=at)
        return [Content.styled(figures.fit(said, width), NOT_YET)]
    how = _("Press r to send the new prompt. These answers are to: ")
    if width < len(how) + 20:
        how = _("Press r to send. Old: ")
    said = " ".join(safe(state.asked).split())
    return [Content.styled(figures.fit(how + said, width), NOT_YET)]


def _answer(state: State, place: int, width: int) -> list[Content]:
    model, reply = state.models[place], state.replies[place]
    lines = [Content.styled(figures.fit(safe(state.names[place]), width), "bold")]
    text = safe(reply.text).strip()
    lines += wrapped(Content(text), width) if text else []
    if end := _end(state, model, reply):
        lines += wrapped(end, width)
    return lines


def _end(state: State, model: Model, reply: Reply) -> Content:
    """Return a line with the reason why the answer ended, and the date of the price."""
    again = "" if state.running or state.outdated else _(" Press r to ask again.")
    if reply.trouble is not None:
        return Content.styled(safe(f"× {reply.trouble.error}{again}"), NOT_YET)
    if reply.reason is None:
        return Content.styled(
            "…" if state.running else _("Stopped.{again}").format(again=again), MUTED
        )
    ends = {
        "stop": _("complete"),
        "length": _("cut off at {most_tokens} tokens").format(most_tokens=MOST_TOKENS),
        "other": _("ended"),
    }
    price = model.price
    dated = "" if price is None else _("; price as of {as_of}").format(as_of=price.as_of)
    told = _(", not from the vendor") if price is not None and price.second_hand else ""
    return Content.styled(safe(f"{ends[reply.reason]}{dated}{told}"), MUTED)


def _briefly(state: State, width: int) -> list[Content]:
    """Return only the focused model's lines, for short screens."""
    above = [_prompt(state, width), _row(state, state.focus, width)]
    place = _("model {focus} of {count}, {count2} chosen").format(
        focus=state.focus + 1, count=len(state.models), count2=len(state.chosen)
    )
    if state.focus not in state.replies:
        full = (
            _(", at most {most_models}").format(most_models=MOST_MODELS)
            if len(state.chosen) == MOST_MODELS
            else ""
        )
        return [*above, Content.styled(place + full, MUTED)]
    return [*above, *_said_to(state, width), *_answer(state, state.focus, width)[1:]]


VIEW = CompareView
