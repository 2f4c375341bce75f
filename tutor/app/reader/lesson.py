"""The lesson screen, which shows one part of a lesson at a time.

If that part has a lab, a wide terminal shows the lab next to the text.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus, Mount

from tutor.app.background.goal_keeper import reached
from tutor.app.base_screen import ENTER_PAGES, PAN_KEYS, scroll_keys
from tutor.app.reader.links import LINK_KEYS, LinkedScreen
from tutor.app.reader.predict_card import PredictCard, PredictionChoices, PredictionField
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.inline import plain
from tutor.app.widgets.lab_card import LabCard
from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.prose import Prose
from tutor.app.widgets.screen_list import ScreenList, screen_list
from tutor.app.widgets.static import Static
from tutor.language import _
from tutor.study.place import save_place
from tutor.study.quiz_run import resumed
from tutor.study.results import results
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from textual.app import ComposeResult
    from textual.widget import Widget

    from tutor.app.explorer.pane import ExplorerPane
    from tutor.app.services import Navigation, Services
    from tutor.course.lesson import Lab, Lesson, Screen

BESIDE = 120
"""The minimum width, in columns, to show the lab or the list of screens next to the text."""
_ALL = 170
"""The minimum width, in columns, to show both the lab and the list of screens."""


class _Reading(VerticalScroll, inherit_bindings=False):
    """The text of a screen. The lesson screen binds all keys, so that the key line names them."""


class LessonScreen(LinkedScreen):
    """A lesson, shown one part at a time. Each move to another part is saved immediately."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["lesson.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (BESIDE, "-panels")]  # noqa: RUF012 (Textual's own type)
    SCROLLED = "#reading"
    BINDINGS: ClassVar[list[BindingType]] = [
        *LINK_KEYS,
        Binding(
            "tab",
            "leave_field",
            "leave field",
            tooltip="Leave the text field, so that letter keys work again (such as l for the lab).",
        ),
        Binding("tab", "enter_field", "predict", tooltip="Go to the field for your prediction."),
        ENTER_PAGES,
        Binding("enter", "next", "next", tooltip="Go to the next screen, then to the questions."),
        Binding("enter", "leave_text('asks')", "questions", tooltip="Answer the questions."),
        Binding("enter", "leave_text('over')", "end", tooltip="Go to the end of the lesson."),
        Binding("right", "next_now", "next", tooltip="Continue without waiting for the answer."),
        Binding("right", "next", show=False),
        Binding("right", "leave_text('asks')", show=False),
        Binding("right", "leave_text('over')", show=False),
        Binding("left", "previous", "previous", tooltip="Go to the previous screen."),
        *scroll_keys(_("Scroll the text.")),
        *PAN_KEYS,
        Binding("l", "lab", "lab", tooltip="Open the lab of this screen."),
        Binding("a", "quiz", "questions", tooltip="Answer the questions of this lesson."),
    ]

    def __init__(
        self,
        services: Services,
        navigation: Navigation,
        lesson: Lesson,
        screen_id: str | None = None,
        *,
        look: bool = False,
    ) -> None:
        """Open a lesson at the screen with the id `screen_id`.

        If `screen_id` is None, continue where the learner left the lesson. If `look` is true, save
        the learner's place only after they read on.
        """
        super().__init__(services, navigation)
        self.lesson, self.lesson_id = lesson, lesson.id
        self._opened_at, self._looks = screen_id, look
        self._index, self._opened = 0, False

    def compose_content(self) -> ComposeResult:
        with Vertical(id="page", classes="panel"):
            with _Reading(id="reading", can_focus=False):
                yield Static(id="title", markup=False)
                yield Prose(id="text")
                yield PredictCard(self.services)
                yield LabCard()
            yield MoreBelow(self.SCROLLED)
        yield Container(id="lab-side", classes="panel")
        with VerticalScroll(id="outline", classes="panel", can_focus=False) as outline:
            outline.border_title = Content(_("Screens"))
            yield ScreenList(markup=False)

    @on(Mount)
    async def _open(self) -> None:
        ids = [screen.id for screen in self.lesson.screens]
        wanted = self._opened_at or self.services.progress.lesson(self.lesson.id).screen
        self._index = ids.index(wanted) if wanted in ids else 0
        self._head()
        await self._show()  # before the first paint, so that the title never has an empty page

    @property
    def _shown(self) -> Screen:
        return self.lesson.screens[self._index]

    def continue_from(self, other: LessonScreen) -> None:
        """Go to the same part as `other`, if `other` shows the same lesson."""
        if other.lesson is self.lesson:
            self.call_later(self._move_to, other._index)

    async def action_next(self) -> None:
        self._read_on()
        if not self._at_last:
            await self._move_to(self._index + 1)
        elif self._asks_more:
            self.action_quiz()
        else:
            self.navigation.open_end(self.lesson)

    async def action_leave_text(self, what: str = "") -> None:
        await self.action_next()

    action_next_now = action_leave_text

    @property
    def _at_last(self) -> bool:
        return self._index + 1 == len(self.lesson.screens)

    @property
    def _asks_more(self) -> bool:
        """True if a quiz was interrupted, or if questions are open or were answered wrong."""
        progress, lesson = self.services.progress, self.lesson
        in_quiz = resumed(lesson, progress.lesson(lesson.id)) is not None
        return in_quiz or bool(results(lesson, progress.cards()).left)

    async def on_screen_list_chosen(self, event: ScreenList.Chosen) -> None:
        await self._move_to(event.index)

    async def action_previous(self) -> None:
        if self._index > 0:
            await self._move_to(self._index - 1)

    async def action_link(self, step: int) -> None:
        """Focus the next link or, after the last link, the field for a prediction.

        Choices keep the focus, so that their letters always choose (see `PredictionChoices`).
        """
        if not self._chooses:
            self.set_focus(None)
        await super().action_link(step)
        if self._href is None:
            await self.action_enter_field()

    def action_leave_field(self) -> None:
        self.set_focus(None)

    async def action_enter_field(self) -> None:
        """Focus the field for a prediction. Show it again if the learner skipped the prediction."""
        card = self.query_one(PredictCard)
        if card.skipped:
            await card.ask_again()
        if card.field is not None:
            card.field.focus()

    @property
    def _field(self) -> Widget | None:
        """The field for a prediction, or None if the screen has none or shows the answer."""
        return self.query_one(PredictCard).field

    @property
    def _chooses(self) -> bool:
        return isinstance(self._field, PredictionChoices)

    def action_quiz(self) -> None:
        self._read_on()
        self.navigation.open_quiz(self.lesson)

    def action_back(self) -> None:
        """Leave the lab if it has the focus. Otherwise, unfocus the link or close the screen."""
        if self.query_one("#lab-side").has_focus_within:
            self._to_field()
        else:
            super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "link" if _tab_is_taken(self, parameters):
                return False
            case "leave_field":
                return isinstance(self._field, PredictionField) and self._field is self.focused
            case "enter_field":
                open_ = self._field is not None and self._field is not self.focused
                return open_ or self.query_one(PredictCard).skipped
            case "next" if self._at_last:
                return False
            case "next" | "next_now":
                return self.query_one(PredictCard).computing == (action == "next_now")
            case "leave_text":
                asks = self._asks_more == ("asks" in parameters)
                return self._at_last and asks and not self.query_one(PredictCard).computing
            case "lab":
                return self._shown.lab is not None
            case "quiz":
                return bool(self.lesson.questions) and not self._chooses
            case "previous":
                return self._index > 0
        return super().check_action(action, parameters)

    def copies(self) -> Iterator[Copy]:
        shown = self._shown
        yield Copy(_("the text of this screen"), f"# {shown.title}\n\n{shown.body.strip()}\n")

    async def _move_to(self, index: int) -> None:
        self._index = index
        with self.app.batch_update():  # the heading and the text are repainted together
            self.tell(None)
            self._head()
            await self._show()

    def _head(self) -> None:
        lesson = self.lesson
        self.place = _("{number} {title} · {index} of {count}").format(
            number=lesson.number,
            title=safe(lesson.title),
            index=self._index + 1,
            count=len(lesson.screens),
        )
        title = Content(safe(self._shown.title))
        self.query_one("#title", Static).update(title)
        self.query_one("#page").border_title = title
        self.refresh_bindings()

    async def _show(self) -> None:
        await self.query_one(Prose).show(self._shown.body)
        await self.query_one(PredictCard).show(self.lesson, self._shown.prediction)
        self.query_one("#reading").scroll_home(animate=False)
        self._show_lab()
        # Whether there is anything to scroll is known only after the layout.
        self.call_after_refresh(self.refresh_bindings)
        self._opened = True
        self._save_place()
        self._show_outline()

    def _save_place(self) -> None:
        if not self._looks:
            save_place(self.services.progress, self.lesson, self._shown.id)

    @on(PredictCard.Taken)
    def _read_on(self) -> None:
        if self._looks:
            self._looks = False
            self._save_place()

    def action_lab(self) -> None:
        lab = self._shown.lab
        if lab is None:
            return
        if self._beside:
            self._pane(lab).focus()
        else:
            self.navigation.open_lab(self.lesson, lab)

    def on_screen_resume(self) -> None:
        self._show_lab()
        if self._opened:  # another screen may have moved the lesson to a different part
            self._save_place()

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _mark_focus(self) -> None:
        """Highlight the border of the text, unless the lab next to it has the focus."""
        self.set_class(self.query_one("#lab-side").has_focus_within, "-in-lab")

    def on_resize(self) -> None:
        self._show_lab()
        self.call_after_refresh(self._show_outline)  # the width is known only after the layout

    def _show_outline(self) -> None:
        """Show the list of screens next to the text if there is room."""
        outline = self.query_one("#outline")
        if (width := outline.scrollable_content_region.width) and outline.display:
            seen = set(self.services.progress.lesson(self.lesson.id).seen)
            screens = screen_list(self.lesson.screens, self._shown.id, seen, width)
            self.query_one(ScreenList).update(screens)
            room = outline.scrollable_content_region.height
            outline.scroll_to(y=self._index - room // 2, animate=False)

    @property
    def _beside(self) -> bool:
        """True if the lab of the current screen is shown next to the text."""
        lab = self._shown.lab
        can_be = lab is not None and lab.kind in ("stepper", "chat")
        return can_be and self.app.size.width >= BESIDE

    def _show_lab(self) -> None:
        lab = self._shown.lab
        state = self.services.progress.lesson(self.lesson.id)
        self.set_class(self._beside, "-beside")
        self.set_class(self.app.size.width >= _ALL, "-all")
        goals = reached(lab, state) if lab else frozenset()
        done = lab is not None and lab.id in state.labs_done
        self.query_one(LabCard).show(lab, goals, done=done)
        side = self.query_one("#lab-side")
        if not self._beside or lab is None:
            side.remove_children()
        elif not any(pane.id == f"lab-{lab.id}" for pane in side.children):
            side.remove_children()
            from tutor.app.explorer.pane import ExplorerPane

            pane = ExplorerPane(self.services.engine, self.services.progress, lab)
            pane.id, pane.beside_text = f"lab-{lab.id}", True
            side.border_title = Content(_("Chat") if lab.kind == "chat" else _("Stepper"))
            side.mount(pane)

    def _pane(self, lab: Lab) -> ExplorerPane:
        from tutor.app.explorer.pane import ExplorerPane

        return self.query_one(f"#lab-{lab.id}", ExplorerPane)

    def on_explorer_pane_stepped(self, event: ExplorerPane.Stepped) -> None:
        lab = self._shown.lab
        if lab is not None:
            coming = self.services.goals.stepped(self.lesson, lab, event.evidence)
            self.run_worker(self._stepped(lab, coming), group="lab")

    async def _stepped(self, lab: Lab, coming: Awaitable[str | None]) -> None:
        said = await coming
        self._show_lab()
        if said and self._beside and self._shown.lab is lab:
            self._pane(lab).say(plain(said))


def _tab_is_taken(screen: LessonScreen, parameters: tuple[object, ...]) -> bool:
    """Return True if a key for the links does something else now.

    The lab next to the text has its own Tab. After a skipped prediction, the card says that Tab
    hides the answer, so the first Tab does this, and the next one goes to the links.
    """
    skipped = screen.query_one(PredictCard).skipped and parameters == (1,)
    return screen.query_one("#lab-side").has_focus_within or (skipped and screen._href is None)
