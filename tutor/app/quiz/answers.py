"""Widgets in which the learner answers a question with the keyboard.

After the answer, the same widget shows the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from string import ascii_letters
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingsMap, BindingType
from textual.content import Content
from textual.message import Message

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets.entry import ClearableField, paste_line
from tutor.app.widgets.inline import inline
from tutor.app.widgets.layout import beside, hanging
from tutor.app.widgets.menu import Menu
from tutor.labs.kit.keys import UP_DOWN, pair
from tutor.language import _

if TYPE_CHECKING:
    from textual.events import Key, Paste
    from textual.widget import Widget

    from tutor.course.questions.answers import Answer
    from tutor.course.questions.verdict import Mark, Note

LETTERS = "abcdefijk"
"""The letters that label the choices. The quiz uses `g` and `h` for other actions."""

_LEAST_NOTE = 40
"""The minimum space, in columns, for a note next to a choice. With less space, the note goes below
the choice."""

_MARKS = {
    "right": Content.styled("✓ ", f"bold {RIGHT}"),
    "wrong": Content.styled("× ", f"bold {NOT_YET}"),
    "missed": Content.styled("○ ", f"bold {RIGHT}"),
    "left": Content("  "),
}
_STYLES = {"right": "bold", "wrong": "bold", "missed": "bold", "left": MUTED}
"""The style of a line after an answer, by mark. Lines neither chosen nor right are muted."""


@dataclass
class Entered(Message):
    """Posted when the learner changes the answer in `field`, before submitting it."""

    field: Widget


@dataclass
class Given(Message):
    """Posted when the learner submits an answer. `Question.grade` accepts the answer's type."""

    field: Widget
    answer: Answer


@dataclass
class NothingChosen(Message):
    """Posted when the learner submits, but there is no answer. `advice` says what to do first."""

    advice: str


class AnswerList(Menu):
    """The base class of answer widgets that consist of lines of text.

    `_order` lists the lines from top to bottom on the screen, each as its index in the lesson file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # Subclasses show these two keys on the key line in their own way.
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]
    SAID: ClassVar[Mapping[Mark, str]] = {}
    """The words that precede the note for a line, by the line's mark."""

    def __init__(self, texts: Sequence[Content], order: Sequence[int], cursor: int) -> None:
        super().__init__()
        self._texts = texts
        self._order = list(order)
        self._notes: Sequence[Note] | None = None
        self.set_reactive(Menu.cursor, cursor)

    def on_mount(self) -> None:
        self._fill()

    @property
    def answer(self) -> Answer | None:
        """The current answer, or None if it is incomplete."""
        raise NotImplementedError

    @property
    def unfinished(self) -> str:
        """The incomplete answer, as text that can be saved, or "" if there is none."""
        return ""

    def resume(self, unfinished: str) -> None:
        """Restore an incomplete answer."""

    @property
    def plain(self) -> list[str]:
        """The text of each line on the screen, without styles."""
        places = enumerate(self._order)
        return [f"{self._head(n).plain}{self._texts[at].plain}" for n, at in places]

    @property
    def advice(self) -> str:
        """The advice for a learner who submits an incomplete answer."""
        return ""

    def enter(self, answer: Answer) -> None:
        """Set the current answer to `answer`."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "page":
            return False  # the screen pages the whole question, which can be longer than the list
        return super().check_action(action, parameters)

    def action_choose(self) -> None:
        answer = self.answer
        self.post_message(NothingChosen(self.advice) if answer is None else Given(self, answer))

    def clicked(self, index: int) -> None:
        """Select the clicked line.

        A click never submits the answer, because it may be an accident.
        """
        if self._notes is None and self.can_focus:
            self.cursor = index

    def judge(self, notes: Sequence[Note]) -> None:
        """Stop accepting input, and show the notes on the answer next to the lines.

        The notes are in the order of the lesson file. The list may be empty.
        """
        self._notes = notes or None
        self.can_focus = False
        self.cursor = -1
        self._fill()

    def mark(self, index: int) -> Content:
        if self._notes is None:
            return super().mark(index)
        return _MARKS[self._notes[self._order[index]].mark]

    def _fill(self) -> None:
        self.show([partial(self._row, place) for place in range(len(self._order))])

    def _row(self, place: int, width: int) -> Content:
        index = self._order[place]
        head, text = self._head(place), self._texts[index]
        if self._notes is None:
            return hanging(head, text, width)
        note = self._notes[index]
        why = _without_yes(note.why) if note.mark == "missed" else note.why
        said = Content(self.SAID.get(note.mark, "")) + inline(why)
        widest = max(each.cell_length for each in self._texts)
        return beside(
            head,
            text.stylize_before(_STYLES[note.mark]),
            said.stylize_before(MUTED if note.mark == "left" else ""),
            width,
            text_width=widest,
            least=_LEAST_NOTE,
        )

    def _head(self, place: int) -> Content:
        """Return what precedes the text of a line, such as its letter."""
        raise NotImplementedError

    def _changed(self) -> None:
        self._fill()
        self.post_message(Entered(self))


class Choices(AnswerList):
    """A list of choices, labeled with letters.

    The answer is one choice or, with `several`, any number of choices.
    """

    SAID = {"wrong": _("Your answer. "), "missed": _("Right answer. ")}  # noqa: RUF012  (declared above)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "answer", tooltip="Submit your answer."),
        Binding("space", "check", show=False),
    ]

    def __init__(self, texts: Sequence[Content], order: Sequence[int], *, several: bool) -> None:
        """Create the list. `order` lists the indexes of `texts` from top to bottom."""
        super().__init__(texts, order, cursor=-1)
        self._several = several
        self._checked: set[int] = set()
        tooltip = _("Choose an answer by its letter or number, or with ↑ and ↓.")
        if several:
            tooltip = _("Tick or untick a choice. More than one may be correct.")
        word, range_ = _("tick") if several else _("choose"), _letter_range(len(order))
        letters = letter_keys(len(order), word, range_, tooltip)
        self._bindings = BindingsMap.merge([letters, self._bindings])

    @property
    def answer(self) -> Answer | None:
        if self._several:
            return frozenset(self._checked) or None
        return self._order[self.cursor] if self.cursor >= 0 else None

    def enter(self, answer: Answer) -> None:
        if isinstance(answer, Set):
            self._checked = set(answer)
        elif isinstance(answer, int):
            self.cursor = self._order.index(answer)
        self._fill()

    def watch_cursor(self) -> None:
        super().watch_cursor()
        if self.is_mounted and not self._several and self._notes is None:
            self.post_message(Entered(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._several if action == "check" else super().check_action(action, parameters)

    def action_letter(self, place: int) -> None:
        self.cursor = place
        self.action_check()

    def clicked(self, index: int) -> None:
        super().clicked(index)
        if self._notes is None and self.can_focus:
            self.action_check()

    def action_check(self) -> None:
        if self._several and self.cursor >= 0:
            self._checked ^= {self._order[self.cursor]}
            self._changed()

    @property
    def advice(self) -> str:
        letters = _letter_range(len(self._order))
        if self._several:
            return _("Tick the correct choices first ({letters}), then press Enter.").format(
                letters=letters
            )
        return _("Choose an answer first ({letters}, or ↑ and ↓), then press Enter.").format(
            letters=letters
        )

    def _head(self, place: int) -> Content:
        letter = Content.styled(f"{LETTERS[place]}  ", MUTED if self._notes else ACT)
        if not self._several or self._notes:
            return letter
        checked = self._order[place] in self._checked
        box = Content.styled("[x] ", f"bold {ACT}") if checked else Content.styled("[ ] ", MUTED)
        return box + letter


def _letter_range(count: int) -> str:
    """Return the letters of `count` choices in short form, such as "a-d" or "a-f, i"."""
    if count <= 6:
        return f"a-{LETTERS[count - 1]}"
    return f"a-f, i-{LETTERS[count - 1]}" if count > 7 else "a-f, i"


RANGES = tuple(_letter_range(number) for number in range(1, len(LETTERS) + 1))
"""The names that the key line can have for the keys of the choices."""


def _without_yes(why: str) -> str:
    """Remove “Yes.” from the start of an explanation.

    If the learner missed this choice, it is marked “Right answer.”, and the word would sound like
    praise. The explanation may be in English or in the language of the interface.
    """
    return why.removeprefix("Yes. ").removeprefix(_("Yes. "))


def letter_keys(count: int, word: str, range_: str, tooltip: str) -> BindingsMap:
    """Return bindings for the first `count` letters and, as alternatives, for digits.

    The key line shows only the first binding, which represents all of them.
    """
    return BindingsMap(
        Binding(
            f"{LETTERS[place]},{place + 1}",
            f"letter({place})",
            word,
            show=place == 0,
            key_display=range_,
            tooltip=tooltip,
        )
        for place in range(count)
    )


class Ordering(AnswerList):
    """A list of items to put in order. The learner picks up an item, moves it, and puts it down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "shift(*)", "move", "Move the item that you picked up."),
        *pair(UP_DOWN, "move(*)", "choose", "Choose an item."),
        Binding("space", "pick_up", "pick up", tooltip="Pick up the item to move it."),
        Binding(
            "space,enter", "put_down", "put down", key_display="space", tooltip="Put the item down."
        ),
        Binding("enter", "choose", "answer", tooltip="Submit this order."),
    ]

    def __init__(self, items: Sequence[Content], order: Sequence[int]) -> None:
        super().__init__(items, order, cursor=0)
        self._held = False
        """Whether the item at the cursor is picked up."""
        self._meant = False
        """Whether the learner has moved an item, or has been asked to confirm the initial order."""

    @property
    def answer(self) -> Answer | None:
        return tuple(self._order) if self._meant else None

    @property
    def advice(self) -> str:
        return _("You have not moved anything. Press Enter again to submit this order.")

    def enter(self, answer: Answer) -> None:
        if isinstance(answer, tuple):
            self._order, self._meant = list(answer), True
        self._fill()

    def judge(self, notes: Sequence[Note]) -> None:
        self._held = False
        super().judge(notes)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("shift", "put_down"):
            return self._held
        if action in ("move", "pick_up", "choose"):
            return not self._held
        return super().check_action(action, parameters)

    def action_choose(self) -> None:
        super().action_choose()
        self._meant = True  # the learner has now been told that Enter submits this order

    def clicked(self, index: int) -> None:
        """Select a line, pick up the selected one, or put the item down on the clicked line."""
        if self._notes is not None or not self.can_focus:
            return
        if self._held:
            self._carry(index)
            self.action_put_down()
        elif index == self.cursor:
            self.action_pick_up()
        else:
            self.cursor = index

    def action_move_to(self, index: int) -> None:
        """Go to the first (0) or last (-1) line. An item that is picked up goes there, too."""
        if self._held:
            self._carry(index % len(self._order))
        else:
            super().action_move_to(index)

    def _carry(self, index: int) -> None:
        step = 1 if index > self.cursor else -1
        while self.cursor != index:
            self.action_shift(step)

    def action_pick_up(self) -> None:
        self._hold(True)

    def action_put_down(self) -> None:
        self._hold(False)

    def _hold(self, held: bool) -> None:
        self._held = held
        self._changed()
        self.screen.refresh_bindings()

    def action_shift(self, step: int) -> None:
        here, there = self.cursor, self.cursor + step
        if 0 <= there < len(self._order):
            order = self._order
            order[here], order[there] = order[there], order[here]
            self.cursor = there
            self._meant = True
            self._changed()

    def mark(self, index: int) -> Content:
        if self._held and index == self.cursor:
            return Content.styled("↕ ", f"bold {ACT}")
        return super().mark(index)

    def _head(self, place: int) -> Content:
        number = Content(f"{place + 1}  ")
        if self._held and place == self.cursor:
            return number.stylize(f"bold {ACT}")
        return number.stylize("" if self._notes else MUTED)


class TypedAnswer(ClearableField):
    """A field for a short typed answer.

    All typed characters stay in the field, so that the learner sees what is graded. While the field
    is empty, `?` opens help and Space pages down. If `number` is true, the empty field ignores
    letters and `/`, because a number can't begin with them. The screen handles them if they are
    keys there. Once the learner has typed something, Tab leaves the field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "answer", tooltip="Submit your answer."),
    ]

    def __init__(self, *, number: bool = False, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, max_length=200, select_on_focus=False)
        self._number = number
        self._keys = f"? /{ascii_letters}" if number else "? "
        """The characters that the screen handles as keys as long as the field is empty."""

    @property
    def answer(self) -> Answer | None:
        return self.value or None

    def enter(self, answer: Answer) -> None:
        """Set the text of the field to `answer`."""
        if isinstance(answer, str):
            self.value = answer
            self.cursor_position = len(answer)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        if character and character in self._keys and not self.value:
            return False
        return super().check_consume_key(key, character)

    def watch_value(self, before: str, now: str) -> None:
        super().watch_value(before, now)
        if self.is_mounted:
            self.post_message(Entered(self))

    async def _on_key(self, event: Key) -> None:
        if not event.is_printable or self.check_consume_key(event.key, event.character):
            return
        if self._number or event.key in self.screen.active_bindings:
            event.prevent_default()  # the screen handles the key

    def _on_paste(self, event: Paste) -> None:
        paste_line(self, event)

    def judge(self, notes: Sequence[Note]) -> None:
        self.can_focus = False
        self.disabled = True
