"""The widget for matching questions, in which the learner assigns a letter to each line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingsMap, BindingType
from textual.content import Content

from tutor.app.quiz.answers import LETTERS, AnswerList, letter_keys
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.clicks import press_key
from tutor.app.widgets.inline import inline
from tutor.app.widgets.layout import hanging, matched
from tutor.app.widgets.static import Static
from tutor.labs.kit.keys import UP_DOWN, pair
from tutor.language import _

if TYPE_CHECKING:
    from textual.events import Click, Resize

    from tutor.course.questions.answers import Answer
    from tutor.course.questions.match import Pair
    from tutor.course.questions.verdict import Note


class Options(Static):
    """The lines to choose from, each with its letter. A click on a line presses its letter."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(markup=False)
        self._texts = texts
        self._letters: list[str] = []
        """The letter of the option in each row. An option can have several rows."""

    def on_click(self, event: Click) -> None:
        if 0 <= event.y < len(self._letters):
            press_key(self, self._letters[event.y])

    def on_resize(self, event: Resize) -> None:
        options = [
            hanging(Content.styled(f"{letter}  ", ACT), inline(text), event.size.width)
            for letter, text in zip(LETTERS, self._texts, strict=False)
        ]
        self._letters = [
            letter
            for letter, option in zip(LETTERS, options, strict=False)
            for _row in option.split("\n")
        ]
        self.update(Content("\n").join(options))


class Matching(AnswerList):
    """A list of lines that the learner matches with the lines in `options`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "move(*)", "choose", "Choose the line to match."),
        Binding("enter", "choose", "answer", tooltip="Submit your matches."),
    ]

    def __init__(self, pairs: Sequence[Pair], order: Sequence[int]) -> None:
        """Create the list.

        `order` lists the indexes of the right-hand items, from top to bottom on the screen.
        """
        super().__init__([inline(pair.left) for pair in pairs], range(len(pairs)), cursor=0)
        self._pairs = pairs
        self._shown = list(order)
        self._given: dict[int, int] = {}
        """The index of the right-hand item chosen for each line, by the index of the line."""
        self.options = Options([pairs[place].right for place in order])
        self._letters = f"{LETTERS[0]}-{LETTERS[len(order) - 1]}"
        tooltip = _("Match the selected line with this letter.")
        letters = letter_keys(len(order), "match", self._letters, tooltip)
        self._bindings = BindingsMap.merge([letters, self._bindings])

    @property
    def answer(self) -> Answer | None:
        """The complete answer, or None if a line has no match yet."""
        if len(self._given) < len(self._pairs):
            return None
        return tuple(self._given[line] for line in range(len(self._pairs)))

    def enter(self, answer: Answer) -> None:
        if isinstance(answer, tuple):
            self._given = dict(enumerate(answer))
        self._fill()

    @property
    def unfinished(self) -> str:
        """The matches so far, as one number for each line, which is 0 if the line has no match."""
        given = (self._given.get(line, -1) + 1 for line in range(len(self._pairs)))
        return ",".join(map(str, given)) if self._given else ""

    def resume(self, unfinished: str) -> None:
        numbers = [int(each) for each in unfinished.split(",") if each.isdecimal()]
        if len(numbers) == len(self._pairs) and max(numbers) <= len(self._pairs):
            self._given = {line: each - 1 for line, each in enumerate(numbers) if each}
            self.cursor = next((line for line, each in enumerate(numbers) if not each), 0)
        self._fill()

    def judge(self, notes: Sequence[Note]) -> None:
        self.options.display = False
        super().judge(notes)

    def action_letter(self, place: int) -> None:
        """Match the selected line with a letter, and go to the next line without a match."""
        if self.cursor < 0:
            return
        self._given[self.cursor] = self._shown[place]
        lines = len(self._pairs)
        following = [(self.cursor + step) % lines for step in range(1, lines)]
        self.cursor = next((each for each in following if each not in self._given), self.cursor)
        self._changed()

    @property
    def advice(self) -> str:
        return _("Match every line first. Choose one with ↑ and ↓, then press {letters}.").format(
            letters=self._letters
        )

    def _row(self, place: int, width: int) -> Content:
        left, chosen = self._texts[place], self._given.get(place)
        widest = max(each.cell_length for each in self._texts)
        if chosen is None:
            head, right = Content(""), Content.styled("…", MUTED)
        else:
            letter = LETTERS[self._shown.index(chosen)]
            head = Content.styled(f"{letter}  ", "" if self._notes else f"bold {ACT}")
            right = inline(self._pairs[chosen].right)
        left = left.stylize_before("bold" if self._notes else "")
        line = matched(left, head, right, width, left_width=widest)
        if not self._notes:
            return line
        said = inline(self._notes[place].why)
        return Content("\n").join([line, hanging(Content("  "), said, width)])
