"""The field in which a learner writes a text for a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.app.widgets.static import Static
from tutor.labs.kit import drafts
from tutor.labs.kit.view import TextField
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tutor.labs.kit.runner import LabRunner, Left


class LabEditor(Vertical):
    """A text field with a label above it, for one text of a lab at a time.

    For each field of the lab, it keeps the texts that were not accepted yet in the runner's
    `drafts`, and the texts that were accepted in `entered`, along with other drafts of that field.
    After each change of the drafts, it calls `keep`, which saves them. The field closes when the
    focus moves to another widget, so that an open field always takes keys.
    """

    DEFAULT_CSS = """
    LabEditor { height: auto; display: none; }
    LabEditor #label { height: auto; max-height: 2; color: $muted; }
    """

    def __init__(self, runner: LabRunner, keep: Callable[[Left], None]) -> None:
        super().__init__()
        self.of = TextField("", "", "", lambda _: None)
        """The lab's field that is open, or that was open last."""
        self._runner = runner
        self._keep_lab = keep
        self._drafts = runner.drafts
        self._set_aside: tuple[str, ...] = ()
        """Other drafts of the open field, which are among its earlier texts."""
        self._entered = runner.entered

    def compose(self) -> ComposeResult:
        yield Static(id="label", markup=False)
        yield PromptEditor()

    @property
    def field(self) -> PromptEditor:
        return self.query_one(PromptEditor)

    def open(self, field: TextField) -> None:
        """Load the draft of this field or, if there is none, the text that the lab offers."""
        if self.display:
            self._keep()
        self.of = field
        drafts.move(self._drafts, field.label, field.name)
        *others, text = self._drafts.get(field.name, (field.text,))
        self._set_aside = tuple(others)
        self.field.load(text, (*self._entered.get(field.name, ()), *others), field.sample)
        self._show_label()

    @property
    def kept(self) -> str:
        """A sentence that says that the text is kept, or "" if the learner has written nothing."""
        texts = self._unfinished()
        if not any(map(self._is_new, texts)):
            return ""
        if self.of.name == drafts.SERVER:
            return _("Your text is kept until you quit.")
        if self._is_new(texts[-1]):
            return _("Your text is kept. It is in the field when you open it again.")
        return _("Your earlier text is kept. Open the field and press ↑ to see it.")

    def _is_new(self, text: str) -> bool:
        return text.strip() not in ("", self.of.text.strip())

    def _unfinished(self) -> tuple[str, ...]:
        """Return the texts that the learner has written. The field shows the last one."""
        *others, last = self.field.written()
        texts = [text for text in (*self._set_aside, *others, last) if self._is_new(text)]
        if last != self.of.text and not self._is_new(last):
            texts.append(last)  # the learner has deleted the text, or changed its spaces
        return tuple(reversed(dict.fromkeys(reversed(texts))))

    def _keep(self) -> None:
        """Keep what the learner has written until the field is opened again."""
        before = self._drafts.pop(self.of.name, None)
        if texts := self._unfinished():
            self._drafts[self.of.name] = texts  # now the newest, which is saved first
        if self._drafts.get(self.of.name) != before:
            self._runner.touched = True
            self._keep_lab(self._runner.left)

    def on_descendant_blur(self) -> None:
        """Close the field if another widget has the focus now, for example after Shift+Tab.

        The field stays open if the whole app has lost the focus.
        """
        focused = self.screen.focused
        if self.display and focused is not None and focused is not self.field:
            self.post_message(PromptEditor.Left())

    def remember(self, text: str) -> None:
        """Add an accepted text to the history, after any other drafts of the same field."""
        name, aside = self.of.name, self._runner.aside
        new = [each for each in self._drafts.pop(name, ()) if each != text and self._is_new(each)]
        self._entered[name] = (*self._entered.get(name, ()), *new, text)
        aside[name] = (*(each for each in aside.get(name, ()) if each != text), *new)

    def on_text_area_changed(self) -> None:
        if self.display:
            self._keep()
        self._show_label()

    def _show_label(self) -> None:
        written = self.field.text
        said = self.of.says(written) if self.of.says is not None and written else ""
        label = Content.styled(self.of.label, MUTED)
        if said:
            label = Content.assemble(label, "  ", safe(said).replace("\n", " "))
        self.query_one("#label", Static).update(label)
