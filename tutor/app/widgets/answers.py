"""The ways to answer a question by keyboard. Each shows what came of the answer in its place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets.layout import beside, hanging
from tutor.app.widgets.menu import Menu
from tutor.text import safe

if TYPE_CHECKING:
    from textual.events import Key

    from tutor.course.grading import Answer, Note
    from tutor.course.question import Choice

LETTERS = "abcdefijk"
"""What choices are called; `g` and `h` are left out because they are keys of the quiz."""

_MARKS = {
    "right": Content.styled("✓ ", f"bold {RIGHT}"),
    "wrong": Content.styled("× ", f"bold {NOT_YET}"),
    "missed": Content.styled("○ ", f"bold {NOT_YET}"),
    "left": Content("  "),
}
_SAID = {"right": "", "wrong": "Your answer. ", "missed": "", "left": ""}


class Given(Message):
    """The learner confirmed an answer, of the kind that `tutor.course.grading.grade` takes."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Choices(Menu):
    """Choices with letters; one or several of them are the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "answer",
            key_display="↑↓ enter",
            tooltip="Choose with the arrows or by letter; Enter gives the answer.",
        ),
        Binding("space", "check", show=False),
    ]

    def __init__(self, choices: Sequence[Choice], order: Sequence[int], *, several: bool) -> None:
        """`order` holds the places of `choices` in the order to show them."""
        super().__init__()
        self._choices = choices
        self._order = tuple(order)
        self._several = several
        self._checked: set[int] = set()
        self._notes: Sequence[Note] | None = None
        self.cursor = -1

    def on_mount(self) -> None:
        self._fill()

    def judge(self, notes: Sequence[Note]) -> None:
        """Show `notes` (in the order of the file) beside the choices; no more choosing."""
        self._notes = notes
        self.can_focus = False
        self.cursor = -1
        self._fill()

    def on_key(self, event: Key) -> None:
        if event.character and event.character in LETTERS[: len(self._order)]:
            event.stop()
            self.cursor = LETTERS.index(event.character)
            self.action_check()

    def action_check(self) -> None:
        if self._several and self.cursor >= 0:
            self._checked ^= {self._order[self.cursor]}
            self._fill()

    def action_choose(self) -> None:
        if self._several and self._checked:
            self.post_message(Given(frozenset(self._checked)))
        elif not self._several and self.cursor >= 0:
            self.post_message(Given(self._order[self.cursor]))

    def _fill(self) -> None:
        self.show([partial(self._row, place) for place in range(len(self._order))])

    def mark(self, index: int) -> Content:
        if self._notes is None:
            return super().mark(index)
        return _MARKS[self._notes[self._order[index]].mark]

    def _row(self, place: int, width: int) -> Content:
        index = self._order[place]
        text = Content(safe(self._choices[index].text))
        letter = Content.styled(f"{LETTERS[place]}  ", MUTED if self._notes else ACT)
        if self._notes is None:
            return hanging(self._box(index) + letter, text, width)
        note = self._notes[index]
        said = Content.styled(_SAID[note.mark] + safe(note.why), MUTED)
        widest = max(cell_len(choice.text) for choice in self._choices)
        return beside(letter, text, said, width, text_width=widest)

    def _box(self, index: int) -> Content:
        if not self._several:
            return Content("")
        checked = index in self._checked
        return Content.styled("[x] ", f"bold {ACT}") if checked else Content.styled("[ ] ", MUTED)


class Ordering(Menu):
    """Items to be put in order: choose one, move it earlier or later."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "answer",
            key_display="↑↓ enter",
            tooltip="Choose an item with the arrows; Enter gives the whole order as the answer.",
        ),
        Binding(
            "left",
            "shift(-1)",
            "move",
            key_display="← →",
            tooltip="Move the chosen item one place earlier or later.",
        ),
        Binding("right", "shift(1)", show=False),
    ]

    def __init__(self, items: Sequence[str], order: Sequence[int]) -> None:
        super().__init__()
        self._items = items
        self._order = list(order)
        self._notes: Sequence[Note] | None = None

    def on_mount(self) -> None:
        self._fill()

    def judge(self, notes: Sequence[Note]) -> None:
        self._notes = notes
        self.can_focus = False
        self.cursor = -1
        self._fill()

    def action_shift(self, step: int) -> None:
        here, there = self.cursor, self.cursor + step
        if here >= 0 and 0 <= there < len(self._order):
            order = self._order
            order[here], order[there] = order[there], order[here]
            self.cursor = there
            self._fill()

    def action_choose(self) -> None:
        self.post_message(Given(tuple(self._order)))

    def _fill(self) -> None:
        self.show([partial(self._row, place) for place in range(len(self._order))])

    def mark(self, index: int) -> Content:
        if self._notes is None:
            return super().mark(index)
        return _MARKS[self._notes[self._order[index]].mark]

    def _row(self, place: int, width: int) -> Content:
        index = self._order[place]
        text = Content(safe(self._items[index]))
        if self._notes is None:
            return hanging(Content.styled(f"{place + 1}  ", MUTED), text, width)
        note = self._notes[index]
        head = Content(f"{place + 1}  ")
        widest = max(cell_len(item) for item in self._items)
        return beside(head, text, Content.styled(note.why, MUTED), width, text_width=widest)


class TypedAnswer(Input):
    """A short answer to be typed. With `allowed`, other characters are left to the keys of the
    screen; without, Tab leads out of the field. `?` is text only after something else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "answer", tooltip="This is my answer."),
    ]

    def __init__(self, *, allowed: str = "", placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, max_length=200, select_on_focus=False)
        self._allowed = allowed

    def check_consume_key(self, key: str, character: str | None) -> bool:
        if self._allowed and (character is None or character not in self._allowed):
            return False
        if character == "?" and not self.value:
            return False
        return super().check_consume_key(key, character)

    def watch_value(self) -> None:
        if self.is_mounted:
            self.screen.refresh_bindings()

    async def _on_key(self, event: Key) -> None:
        if self.check_consume_key(event.key, event.character):
            await super()._on_key(event)
        elif event.is_printable:
            event.prevent_default()

    def judge(self, notes: Sequence[Note]) -> None:
        self.can_focus = False
        self.disabled = True
