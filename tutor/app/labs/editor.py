"""The field in which a learner writes a text for a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.containers import Vertical
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.app.widgets.static import Static
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


class LabEditor(Vertical):
    """A text field with a label above it, for one text of a lab at a time.

    For each label, it keeps the draft that the learner left, and the texts that were accepted.
    """

    DEFAULT_CSS = """
    LabEditor { height: auto; display: none; }
    LabEditor #label { height: auto; max-height: 2; color: $muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[str], Any] = lambda _: None
        """A function that returns the lab's action for an accepted text."""
        self._says: Callable[[str], str] | None = None
        self._label = ""
        self._drafts: dict[str, str] = {}
        self._history: dict[str, list[str]] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="label", markup=False)
        yield PromptEditor()

    @property
    def field(self) -> PromptEditor:
        return self.query_one(PromptEditor)

    def open(
        self,
        label: str,
        text: str,
        then: Callable[[str], Any],
        says: Callable[[str], str] | None,
        sample: str,
    ) -> None:
        """Load the draft with this label or, if there is none, `text` (see `LabView.write`)."""
        self._label, self.then, self._says = label, then, says
        self.field.load(self._drafts.get(label, text), self._history.get(label, ()), sample)
        self._show_label()

    def keep_draft(self) -> None:
        """Keep the text for the next time that the field is opened with this label."""
        self._drafts[self._label] = self.field.text

    def remember(self, text: str) -> None:
        """Add an accepted text to the history, and forget its draft."""
        self._drafts.pop(self._label, None)
        self._history.setdefault(self._label, []).append(text)

    def forget_drafts(self) -> None:
        self._drafts.clear()

    def on_text_area_changed(self) -> None:
        self._show_label()

    def _show_label(self) -> None:
        written = self.field.text
        said = self._says(written) if self._says is not None and written else ""
        label = Content.styled(self._label, MUTED)
        if said:
            label = Content.assemble(label, "  ", safe(said).replace("\n", " "))
        self.query_one("#label", Static).update(label)
