"""The text field for a prompt, or for the next message of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tutor.app.typing_ahead import edited_at_once
from tutor.app.widgets.copyable import Copy
from tutor.errors import TutorError
from tutor.language import _
from tutor.text import writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.events import Click, Key, Paste

LONGEST = 32_000
"""The maximum number of characters in a prompt. This is more than fits in a context window.

The limit exists because each key press lays out the whole text.
"""


class Terminal(Protocol):
    """The part of the app's interface that this field uses."""

    runs_programs: bool

    async def edited_outside(self, text: str, longest: int) -> str: ...

    def tell_briefly(self, message: str) -> None: ...


class Teller(Protocol):
    """A screen that can show a message in its notice."""

    def tell(self, message: TutorError) -> None: ...


class PromptEditor(TextArea):
    """A multi-line text field.

    Enter accepts the text, and Esc cancels. A backslash before Enter starts a new line. On the
    first line, the up arrow key goes to texts that were entered earlier.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "accept",
            "accept",
            tooltip="Accept this text. After a \\, Enter adds a line.",
        ),
        Binding("escape", "leave", "cancel", tooltip="Close this field. Your text is kept."),
        Binding(
            "ctrl+g",
            "edit_outside",
            "editor",
            show=False,
            tooltip="Edit this text in your own editor. To choose it, set EDITOR.",
        ),
        Binding(
            "ctrl+u",
            "clear_line",
            "clear line",
            tooltip="Delete all text on the line of the cursor.",
        ),
        Binding("up", "arrow(-1)", show=False),
        Binding("down", "arrow(1)", show=False),
    ]
    DEFAULT_CSS = """
    PromptEditor {
        height: auto; max-height: 6; border: none; padding: 0; background: $panel;
        &:focus { border: none; }
    }
    """

    @dataclass
    class Accepted(Message):
        """Posted with the text, and all other texts that the learner has changed (`kept`).

        `place` is the earlier text of which this is the learner's version, or "" for a new text.
        """

        text: str
        kept: Mapping[str, str] = field(default_factory=dict)
        place: str = ""

    class Left(Message):
        pass

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            id=id,
            classes=classes,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
        )
        self._earlier: list[str] = []
        """The texts that were entered earlier, oldest first."""
        self._pages = [""]
        """The same texts with the learner's changes, followed by the new text."""
        self._unchanged = self._pages
        """The same texts, without the learner's changes.

        An earlier text that the learner has submitted again counts as changed, so it is "" here.
        """
        self._loaded = self._pages
        """The same texts, as they were when they were loaded."""
        self._page = 0
        self._empty = True

    def copies(self) -> Iterator[Copy]:
        yield Copy(_("the selection"), self.selected_text)
        yield Copy(_("the text in the field"), self.text)

    def load(
        self,
        text: str,
        earlier: Sequence[str] = (),
        sample: str = "",
        changes: Mapping[str, str] = MappingProxyType({}),
        at: str = "",
    ) -> None:
        """Load a text, and move the cursor to its end.

        On the first line, `↑` goes back to the texts in `earlier`, and then to `sample`. An empty
        field shows `sample` as a placeholder. `changes` contains the learner's versions of earlier
        texts. If `at` is an earlier text, the field shows that text first.
        """
        changes = {each: changed for each, changed in changes.items() if each and changed}
        again = [each for each in changes if changes[each] == each]
        # A changed text that is no longer among the earlier ones is older than all of them. A text
        # that is to be submitted again, or that was not accepted, is newer.
        beside = [each for each in changes if each not in earlier]
        oldest = [each for each in beside if each not in again]
        newest = [each for each in beside if each in again]
        known = dict.fromkeys((*([sample] if sample else []), *oldest, *earlier, *newest))
        self._earlier = [each for each in known if each != text or each in changes]
        unchanged = ("" if each in again else each for each in self._earlier)
        self._unchanged = [writable(each) for each in (*unchanged, text)]
        self._pages = [writable(changes.get(each, each)) for each in self._earlier]
        self._pages.append(writable(text))
        self._loaded = list(self._pages)
        self.placeholder = _("↑ for example: {sample}").format(sample=sample) if sample else ""
        pages = [*self._earlier, text]
        self._page = pages.index(at) if at in self._earlier else len(self._earlier)
        self._load(self._pages[self._page])

    def _load(self, text: str) -> None:
        self.load_text(writable(text))
        self.move_cursor(self.document.end)

    @property
    def changed(self) -> bool:
        """True if the learner has changed the text, or an earlier one, since `load` was called."""
        pages = zip(self._now, self._loaded, strict=True)
        return any(now != was and now not in self._unchanged for now, was in pages)

    @property
    def _now(self) -> list[str]:
        """The texts, including what is in the field."""
        return [*self._pages[: self._page], self.text, *self._pages[self._page + 1 :]]

    @property
    def recalled(self) -> str:
        """The earlier text that the field shows, as it was entered, or "" for the new text."""
        return "" if self._page == len(self._earlier) else self._earlier[self._page]

    @property
    def place(self) -> str:
        """The earlier text of which the field shows a changed version, or "" for the new text."""
        return self.recalled if self.text not in ("", self._unchanged[self._page]) else ""

    @property
    def changes(self) -> dict[str, str]:
        """The learner's versions of earlier texts, by earlier text, and the new text as "".

        An earlier text that the learner has deleted in the field is as it was entered.
        """
        *now, new = self._now
        changed = {
            earlier: text
            for earlier, text, unchanged in zip(self._earlier, now, self._unchanged, strict=False)
            if text not in ("", unchanged)
        }
        return changed | ({"": new} if new else {})

    def written(self) -> tuple[str, ...]:
        """Return the new text and all earlier texts that the learner has changed.

        The last one is the text that the learner is writing: the text in the field or, if this is
        an unchanged earlier text, the new text.
        """
        texts = self._now
        changed = [at for at, text in enumerate(texts[:-1]) if text != self._unchanged[at]]
        order = [*changed, len(texts) - 1]
        if self._page in changed:
            order.remove(self._page)
            order.append(self._page)
        return tuple(texts[at] for at in order)

    def recall(self, by: int) -> bool:
        """Go to an earlier (-1) or later (1) text. Return False if there is none.

        Changes to the current text are kept.
        """
        page = self._page + by
        if not 0 <= page < len(self._pages):
            return False
        self._pages[self._page] = self.text
        self._page = page
        self._load(self._pages[page])
        return True

    def action_arrow(self, by: int) -> None:
        """Move the cursor by a line. From the first or last line, go to another text instead."""
        at, lines = self.cursor_location, self.navigator
        edge = lines.is_first_wrapped_line(at) if by < 0 else lines.is_last_wrapped_line(at)
        if not edge or not self.recall(by):
            self.action_cursor_up() if by < 0 else self.action_cursor_down()

    def on_text_area_changed(self) -> None:
        if self._empty == bool(self.text):
            self._empty = not self._empty
            self.refresh_bindings()

    def on_click(self, event: Click) -> None:
        """Insert the sample, as `↑` does, if the learner clicks it in an empty field."""
        if not self.text and event.y == 0 and event.x < cell_len(str(self.placeholder)):
            self.recall(-1)

    async def _on_key(self, event: Key) -> None:
        full = event.is_printable and len(self.text) >= LONGEST and not self.selected_text
        act = {"enter": self.action_accept, "escape": self.action_leave}.get(event.key)
        if full or act is not None:
            event.stop()
            event.prevent_default()
            if act is not None:
                act()
            return
        if not await edited_at_once(self, event):
            await super()._on_key(event)

    async def _on_paste(self, event: Paste) -> None:
        """Insert pasted text, up to the maximum length. Say if this leaves out its end.

        Control characters become visible symbols.
        """
        event.stop()
        event.prevent_default()
        text = writable(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        start, end = self.selection
        room = max(0, LONGEST - len(self.text) + len(self.selected_text))
        self.replace(text[:room], start, end, maintain_selection_offset=False)
        if len(text) > room:
            said = _(
                "The end of the pasted text is missing. A text can have at most {most} characters."
            )
            cast("Terminal", self.app).tell_briefly(said.format(most=f"{LONGEST:,}"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit_outside":
            return cast("Terminal", self.app).runs_programs
        if action == "clear_line":
            return bool(self.text)
        return super().check_action(action, parameters)

    @work(exclusive=True, group="outside")
    async def action_edit_outside(self) -> None:
        """Let the learner edit the text in their own editor."""
        try:
            text = await cast("Terminal", self.app).edited_outside(self.text, LONGEST)
        except TutorError as error:
            cast("Teller", self.screen).tell(error)
            return
        self.replace(text, self.document.start, self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def action_clear_line(self) -> None:
        """Delete the text of the line, even if it takes several rows on the screen."""
        row, _column = self.cursor_location
        end = (row, len(self.document.get_line(row)))
        self.replace("", (row, 0), end, maintain_selection_offset=False)

    def action_accept(self) -> None:
        row, column = self.cursor_location
        if self.document.get_line(row)[:column].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            return
        self.submit()

    def submit(self) -> None:
        kept = self.changes
        kept.pop(self.recalled, None)
        self.post_message(self.Accepted(self.text, kept, self.recalled))

    def clear_submitted(self) -> None:
        """Go to the new text, and remove the text in the field or the changes to it."""
        new = self._page == len(self._earlier)
        self._pages[self._page] = "" if new else writable(self.recalled)
        self._unchanged[self._page] = self._pages[self._page]
        self._page = len(self._earlier)
        self._load(self._pages[self._page])

    def action_leave(self) -> None:
        self.post_message(self.Left())
