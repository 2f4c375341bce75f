"""The settings screen. Each change is saved immediately."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content

from tutor.app.course_screen import CourseScreen
from tutor.app.key_scheme import VIEW
from tutor.app.settings.explanation import Explanation, MoreOfExplanation
from tutor.app.settings.rows import about, heading_row, setting_row
from tutor.app.widgets.entry import Entry as TextField
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.more_below import MoreBelow
from tutor.errors import TutorError
from tutor.labs.kit.keys import LEFT_RIGHT, pair
from tutor.language import _
from tutor.learner import review
from tutor.settings.catalogue import CATALOGUE, Entry, Value
from tutor.settings.file import config_file
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.screen import Screen

    from tutor.app.background.status import ModelStatus
    from tutor.app.widgets.menu import Row

_OF_LEARNER = {"review.a_day": review.CAP_SETTING, "review.new_a_day": review.NEW_SETTING}
"""The names under which `tutor review` saves its overrides, by the name of the setting."""


class SettingsList(Menu):
    """The list of settings. The left and right arrow keys change the selected setting."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "set", tooltip="Type a value, or switch to the next one."),
        *pair(LEFT_RIGHT, "screen.turn(*)", "change", "Change the selected setting."),
        Binding(
            "space",
            "screen.explain",
            "more",
            tooltip="Page down in the explanation or, at its end, go back to its beginning.",
            group=VIEW,
        ),
    ]


class MoreSettings(MoreBelow):
    """A line that says how many settings are hidden. While a value is typed, it names no keys."""

    def _below_key(self) -> str:
        return "" if self.screen.has_class("-editing") else super()._below_key()

    def _above_key(self) -> str:
        return "" if self.screen.has_class("-editing") else super()._above_key()


class SettingField(TextField):
    """The field in which the learner types a value."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "accept", tooltip="Accept the value."),
        Binding("escape", "screen.cancel", "cancel", tooltip="Keep the value as it was."),
    ]


class SettingsScreen(CourseScreen):
    """A screen with all settings, their values, and the sources of the values."""

    DEFAULT_CSS = """
    SettingsScreen {
        #columns, #list, #entries { height: 1fr; }
        #side { height: auto; }
        Explanation { max-height: 6; margin-top: 1; }
        &.-low Explanation { max-height: 3; margin-top: 0; }
        &.-tall Explanation { max-height: 12; }
        &.-panels #columns { layout: horizontal; }
        &.-panels #list { width: 3fr; }
        &.-panels #side { width: 2fr; height: 1fr; }
        &.-panels Explanation { max-height: 100%; margin: 0 0 1 0; }
        SettingField { display: none; }
        &.-editing SettingField { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "undo", "undo", tooltip="Undo the latest change of this session."),
        Binding("z", "reset", "reset", tooltip="Go back to the default of the selected setting."),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-panels")]  # noqa: RUF012 (Textual's own type)
    SCROLLED = "#entries"

    def compose_content(self) -> ComposeResult:
        with Container(id="columns"):
            with Vertical(id="list", classes="panel") as settings:
                settings.border_title = Content(_("Settings"))
                with VerticalScroll(id="entries", can_focus=False):
                    yield SettingsList()
                yield MoreSettings(self.SCROLLED)
            with Vertical(id="side", classes="panel"):
                yield Explanation()
                yield MoreOfExplanation("Explanation")
                yield SettingField("")

    def on_mount(self) -> None:
        self.place = _("settings")
        self.aside = safe(str(config_file()))
        self._rows = self._listed()
        self._shown_fallback = self._fallback
        self._show(cursor=1)
        self.query_one(Menu).focus(scroll_visible=False)
        self.watch(self.query_one(Menu), "cursor", self._move)
        self.watch(self.app, "model_status", self._show_model)
        self.screen_layout_refresh_signal.subscribe(self, self._keep_in_view)

    def _listed(self) -> list[tuple[Row | None, Entry | None]]:
        """Return each row with its setting. Headings and blank lines have no setting."""
        may_choose_model = self.services.allowed.other_servers
        rows: list[tuple[Row | None, Entry | None]] = []
        for title, entries in CATALOGUE:
            shown = [each for each in entries if may_choose_model or each.name != "model"]
            if rows:
                rows.append((None, None))
            rows.append((partial(heading_row, title), None))
            rows += [(partial(self._setting_row, each), each) for each in shown]
        return rows

    def _setting_row(self, entry: Entry, width: int) -> Content:
        value, now = self._value(entry), ""
        if entry.name == "model" and value == entry.default:
            now = self._fallback
        return setting_row(entry, value, self._source(entry), width, now)

    def _show(self, cursor: int | None = None) -> None:
        rows = [row for row, _entry in self._rows]
        headings = {place for place, (_row, entry) in enumerate(self._rows) if entry is None}
        self.query_one(SettingsList).show(rows, cursor, flat=True, headings=headings)
        self._describe()
        self.refresh_bindings()

    def _show_model(self, _status: ModelStatus) -> None:
        """Update the name of the model that is used by default, if it has changed."""
        if self._fallback != self._shown_fallback:
            self._shown_fallback = self._fallback
            self._show()

    # --- the values -----------------------------------------------------------------------------

    @property
    def _fallback(self) -> str:
        """The name of the small model while it replaces the default model, or ""."""
        status = self.services.model.status
        return status.model.base_name if status.small and status.model else ""

    def _own_limit(self, entry: Entry) -> int | None:
        name = _OF_LEARNER.get(entry.name)
        return review.own_limit(self.services.progress.setting, name) if name else None

    def _value(self, entry: Entry) -> Value:
        own = self._own_limit(entry)
        return self.services.settings.effective.value(entry.name) if own is None else own

    def _source(self, entry: Entry) -> str:
        if self._own_limit(entry) is not None:
            return entry.option
        return self.services.settings.effective.explain(entry.name)

    @property
    def _selected(self) -> Entry | None:
        cursor = self.query_one(Menu).cursor
        return self._rows[cursor][1] if 0 <= cursor < len(self._rows) else None

    def _move(self) -> None:
        """Describe the selected setting, and hide a message about the one selected before."""
        self.tell(None)
        self._describe()

    def _describe(self) -> None:
        if (entry := self._selected) is not None:
            overridden = self.services.settings.overridden(entry.name)
            text = about(entry, self._source(entry), overridden=overridden)
            self.query_one(Explanation).show(text)
            self.query_one("#side").border_title = Content(entry.label)

    # --- changes --------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        editing = self.has_class("-editing")
        if action in ("turn", "reset"):
            return not editing
        if action == "explain":
            return self.query_one(MoreOfExplanation).scrolls and not editing
        return self.services.settings.can_undo and not editing if action == "undo" else True

    def action_turn(self, by: int) -> None:
        if (entry := self._selected) is None:
            return
        value = self._value(entry)
        if entry.stops:
            if (moved := entry.moved(value, by)) != value:
                self._change(entry, moved)
        else:
            self._edit(entry)

    def action_explain(self) -> None:
        self.query_one(Explanation).page()

    def action_reset(self) -> None:
        if (entry := self._selected) is not None:
            self._change(entry, None)

    def action_undo(self) -> None:
        def undo() -> str:
            name = self.services.settings.undo()
            return _("The change to {name} was undone.").format(name=name)

        self._try(undo)

    def _change(self, entry: Entry, value: Value | None) -> None:
        def change() -> str:
            if self._keeps(entry, value):
                return ""
            self.services.settings.change(entry.name, value)
            if self._own_limit(entry) is not None:
                self.services.progress.save_setting(_OF_LEARNER[entry.name], review.NOT_SET)
            if self.services.settings.overridden(entry.name):
                source = self.services.settings.effective.explain(entry.name)
                return _(
                    "Saved, but {source} overrides the file until you start tutor without it."
                ).format(source=source)
            return _("Saved. It takes effect when tutor starts again.") if entry.next_start else ""

        self._try(change)

    def _keeps(self, entry: Entry, value: Value | None) -> bool:
        """Return True if a change of a setting to `value` would change nothing."""
        if value is None:
            return (
                self._own_limit(entry) is None
                and self.services.settings.in_file(entry.name) is None
            )
        return value == self._value(entry) and not self.services.settings.overridden(entry.name)

    def _try(self, change: Callable[[], str]) -> None:
        """Make a change, and show the message that it returns or the error that it raises."""
        try:
            said = change()
        except TutorError as error:
            self.tell(error)
        else:
            self.tell(said or None)
            self._show()

    @on(Menu.Chosen)
    def _chosen(self) -> None:
        if (entry := self._selected) is not None:
            if entry.typed:
                self._edit(entry)
            else:
                self._change(entry, entry.moved(self._value(entry), 1))

    def _keep_in_view(self, _screen: Screen[Any]) -> None:
        """Scroll to the selected setting, because the field for its value leaves less room."""
        if self.has_class("-editing"):
            self.query_one(Menu).keep_in_view()

    def _edit(self, entry: Entry) -> None:
        field = self.query_one(SettingField)
        self.add_class("-editing")
        field.value = str(self._value(entry))
        field.placeholder = _("{label} (empty: the default)").format(label=entry.label)
        field.focus()
        self.refresh_bindings()

    @on(SettingField.Submitted)
    def _typed(self, event: SettingField.Submitted) -> None:
        entry, text = self._selected, event.value.strip()
        if entry is None:
            return
        try:
            value = entry.parsed(text) if text else None
        except ValueError as error:
            self.tell(str(error))
            return
        self.action_cancel()
        self._change(entry, value)

    def action_cancel(self) -> None:
        self.remove_class("-editing")
        self.tell(None)
        self.query_one(Menu).focus(scroll_visible=False)
        self.refresh_bindings()
