"""The screen on which the learner chooses the format and the name of a file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from tutor.app.base_screen import TutorScreen
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.entry import Entry
from tutor.app.widgets.menu import Menu, number_keys
from tutor.app.widgets.static import Static
from tutor.language import _
from tutor.sharing.writing import current_folder
from tutor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tutor.sharing.writing import Form


class _Choice(NamedTuple):
    form: Form
    name: str
    about: str


CHOICES = (
    _Choice("html", "HTML", _("a page for any browser: point at a token for its distribution")),
    _Choice("markdown", "Markdown", _("the text, and a table of its tokens")),
    _Choice("svg", "SVG", _("a picture of the screen")),
    _Choice("json", "JSON", _("for `tutor open FILE`, with all numbers")),
)


class ShareMenu(Menu):
    """A menu of file formats. The keys 1 to 4 also choose a format."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "save file", tooltip="Save the file in the selected format."),
        *number_keys("save file", "Save the file in the format with this number."),
    ]


class ShareName(Entry):
    """The field for the name of the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "accept", tooltip="Accept the name, and choose a format."),
    ]


class ShareScreen(TutorScreen):
    """A screen on which the learner chooses the format and the name of a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit", tooltip="Edit the name or path of the file."),
    ]
    DEFAULT_CSS = """
    ShareScreen VerticalScroll { height: 1fr; }
    ShareScreen Static { height: auto; }
    ShareScreen #where { margin-bottom: 1; }
    ShareScreen #name { margin-top: 1; color: $muted; }
    ShareScreen.-low #where, ShareScreen.-low #name { margin: 0; }
    ShareScreen ShareName { border: none; height: 1; padding: 0 1; }
    """

    def __init__(self, name: str, save: Callable[[str, Form], None]) -> None:
        """Create the screen. `save` is called with the name and the format of the file."""
        super().__init__()
        self._suggested = name
        self._save = save

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(
                _("Save this text as a file in {folder}:").format(
                    folder=one_line(current_folder())
                ),
                id="where",
                markup=False,
            )
            yield ShareMenu()
            yield Static(_("Name or path, without the extension:"), id="name", markup=False)
            yield ShareName(self._suggested)

    def on_mount(self) -> None:
        self.place = _("save")
        self.query_one(ShareName).value = self._suggested
        menu = self.query_one(ShareMenu)
        menu.show([partial(_row, number, each) for number, each in enumerate(CHOICES, start=1)])
        menu.focus()

    def action_edit(self) -> None:
        self.query_one(ShareName).focus()

    def action_back(self) -> None:
        """Leave the field if the learner edits the name. Otherwise, close the screen."""
        if self.query_one(ShareName).has_focus:
            self._accept()
        else:
            super().action_back()

    @on(ShareName.Submitted)
    def _accept(self) -> None:
        field = self.query_one(ShareName)
        field.value = field.value.strip() or self._suggested
        self.query_one(ShareMenu).focus()

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        name = self.query_one(ShareName).value
        if self.leave():
            self._save(name, CHOICES[event.index].form)


def _row(number: int, choice: _Choice, width: int) -> Content:
    """Draw the row for a format: its number, its name and what the file contains."""
    name = Content.assemble((f"{number}  ", ACT), (choice.name.ljust(10), "bold"))
    return (name + Content.styled(choice.about, MUTED)).truncate(width, ellipsis=True)
