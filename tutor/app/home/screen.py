"""The course map, which is the app's first screen."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from tutor import paths
from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.home import details, rows
from tutor.app.home.map_keys import MAP_PLACES, MapPlace
from tutor.app.key_scheme import ARROWS
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.screen_list import screen_list
from tutor.app.widgets.static import Static
from tutor.classroom.due import duties
from tutor.language import _
from tutor.learner import review
from tutor.learner.records import LessonState
from tutor.study.lesson_progress import LessonProgress, lesson_progress, lessons_done
from tutor.study.memory_words import BOTH, lasting
from tutor.study.next_step import (
    AnswerQuestions,
    ReadLesson,
    Review,
    left_for_later,
    next_in_lessons,
    next_step,
)
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from tutor.app.background.status import ModelStatus
    from tutor.classroom.due import Duties
    from tutor.course.outline import Outline
    from tutor.errors import TutorError
    from tutor.learner.review import Memory

_FRAME = 4
"""The number of lines that surround the course map if the key line has one line."""
_WIDE = 112
"""The minimum width, in columns, to describe the selected row next to the course map."""


class _MapRow(NamedTuple):
    """A row of the course map, with the title and the text that describe it on a wide screen.

    `describe` returns the text for a width in columns. `ask_again` opens the questions that were
    answered wrong since the lesson was done, or is None if there are none.
    """

    entry: Entry
    title: str
    describe: Callable[[int], Content]
    ask_again: Callable[[], None] | None = None


class HomeScreen(MenuScreen):
    """The course map, with the next steps, the progress in each lesson, and other screens to open.

    On a wide screen, the right side describes the selected row.
    """

    # Textual ignores the `CSS_PATH` of an app's first screen.
    DEFAULT_CSS = """
    HomeScreen {
        #columns, #map, #details { height: 1fr; }
        #map { width: 1fr; }
        #details { width: 48; display: none; }
        &.-panels #map { min-width: 78; max-width: 92; }
        &.-panels #details { width: 1fr; display: block; scrollbar-gutter: stable; }
        #about { height: auto; }
        #model-note { height: auto; max-height: 4; color: $muted; }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-panels")]  # noqa: RUF012 (Textual's own type)
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                each.key,
                f"open('{each.place}')",
                each.place,
                show=each.shown and not each.listed,
                tooltip=f"{each.text.what[0].upper()}{each.text.what[1:]}.",
            )
            for each in MAP_PLACES
        ),
        Binding(
            "a",
            "ask_again(True)",
            "wrong answers",
            tooltip="Answer the questions of this lesson again that you last answered wrong.",
        ),
        Binding(
            "a",
            "ask_again(False)",
            "wrong answers",
            show=False,
            tooltip="In a row of a lesson that is done, answer the questions again that you last "
            "answered wrong.",
        ),
        Binding("q", "app.quit", "quit", tooltip="Save everything and quit."),
    ]
    first_keys: tuple[str, ...] = ("y", ARROWS, "enter", "a", "r", "p", "v", "slash", "comma")
    _memory: Memory | None = None
    _memory_of: Mapping[str, Memory] = {}
    _rows: Sequence[_MapRow | None] = ()
    _model_failure: TutorError | None = None

    def compose_content(self) -> ComposeResult:
        with Horizontal(id="columns"):
            with VerticalScroll(id="map", classes="panel", can_focus=False) as course:
                course.border_title = Content(_("Course"))
                yield Menu()
            with VerticalScroll(id="details", classes="panel", can_focus=False):
                yield Static(id="about", markup=False)
        yield Static(id="model-note", markup=False)

    def on_mount(self) -> None:
        self.place = "tutor"
        self.watch(self.app, "model_status", self._note_model)
        self.watch(self.query_one(Menu), "cursor", self._describe)
        self.tell_problems()

    def tell_problems(self) -> None:
        """Show all problems: of progress, course, class file, settings and model."""
        self.tell(
            *self.services.progress.notices,
            *self.services.course.problems,
            *self._duties().problems,
            self.services.settings.notice,
            self._model_failure,
        )

    def _duties(self) -> Duties:
        """Return the lessons with a due date in the class file."""
        progress = self.services.progress
        return duties(paths.class_file(), self.services.course, progress, progress.clock())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "ask_again":
            return (
                self._selected is not None and self._selected.ask_again is not None,
            ) == parameters
        return action != "back"

    @property
    def _selected(self) -> _MapRow | None:
        # The menu is gone while the screen closes.
        cursor = next((menu.cursor for menu in self.walk_children(Menu)), -1)
        return self._rows[cursor] if 0 <= cursor < len(self._rows) else None

    @property
    def _next(self) -> str:
        """The title of the first row, which says what to do next, or "" before there are rows."""
        return self._rows[0].title if self._rows and self._rows[0] else ""

    def action_ask_again(self, _works: bool) -> None:
        """Open the questions that were answered wrong, or say in which rows the key works."""
        if self._selected is not None and self._selected.ask_again is not None:
            self._selected.ask_again()
        else:
            said = _("This key works in the row of a lesson that is done and has wrong answers.")
            self.tell(said)

    def on_resize(self) -> None:
        self.fill()

    def _note_model(self, status: ModelStatus) -> None:
        self._model_failure = status.failure
        note = self.query_one("#model-note", Static)
        note.update(Content(safe(status.note)))
        note.display = bool(status.note)

    def fill(self) -> None:
        states, cards = self.services.progress.lessons(), self.services.progress.cards()
        lessons = self.services.course.outlines
        by_lesson = {
            lesson.id: lesson_progress(
                lesson, states.get(lesson.id) or LessonState(lesson=lesson.id), cards
            )
            for lesson in lessons
        }
        places = [self._place_row(place) for place in MAP_PLACES if place.listed]
        map_rows: list[_MapRow | None] = [*self._first_rows(by_lesson)]
        lines_left = self.app.size.height - _FRAME - len(map_rows) - len(lessons) - len(places) - 1
        # Blank lines are omitted only if that makes all rows fit.
        omitted = -lines_left + 1 if lines_left in (-1, 0) else 0
        if omitted < 2:
            map_rows.append(None)
        roomy = lines_left > len(lessons)
        for row in self._lesson_rows(by_lesson, summarized=roomy):
            map_rows += [row, None] if lines_left > 2 * len(lessons) else [row]
        if lessons and not omitted and map_rows[-1] is not None:
            map_rows.append(None)
        before, self._rows = self._next, [*map_rows, *places]
        self.show_entries([row and row.entry for row in self._rows], flat=not roomy)
        if before not in ("", self._next):
            self.query_one(Menu).cursor = 0  # something else is to be done next
        begun = states and len(lessons) > 1
        self._done = lessons_done(lessons, states, cards) if begun else ""
        self.aside = self._done
        self.call_after_refresh(self._describe)  # the width is known only after the layout
        if cards:
            self._remember()

    @work(exclusive=True)
    async def _remember(self) -> None:
        """Estimate how well the learner remembers the answers, and show the result.

        This runs in a thread, because the first estimate takes longer than painting the screen.
        """
        arguments = (
            self.services.progress.state(),
            self.services.asked,
            self.services.progress.clock(),
        )
        self._memory = await asyncio.to_thread(review.memory, *arguments)
        self._memory_of = await asyncio.to_thread(review.memory_of_lessons, *arguments)
        # Strength is shown because recall also rises after a wrong answer.
        strength = self._memory.strength
        said = ""
        if strength is not None:
            said = _("you remember answers for about {lasting}").format(lasting=lasting(strength))
        self.aside = " · ".join(filter(None, (self._done, said)))
        self._describe()

    def _describe(self) -> None:
        """Show the keys of the selected row, and describe it if the screen is wide enough."""
        self.refresh_bindings()
        if self.app.size.width < _WIDE:
            return
        row = self._selected
        details = self.query_one("#details")
        details.border_title = Content(row.title if row else "")
        width = details.scrollable_content_region.width
        about = row.describe(width) if row and width else Content("")
        self.query_one("#about", Static).update(about)

    # --- the rows -------------------------------------------------------------------------------

    def _first_rows(self, by_lesson: Mapping[str, LessonProgress]) -> list[_MapRow]:
        """Return the row for the next step in the lessons, and the row for reviews.

        The more useful of the two comes first.
        """
        progress, lessons = self.services.progress, self.services.course.outlines
        states, cards = progress.lessons(), progress.cards()
        due = len(self.services.review_queue().due)
        if isinstance(next_step(lessons, states, cards, due), Review):
            first = [self._review_row(), self._next_row(by_lesson)]
        else:
            first = [self._next_row(by_lesson), self._review_row(after_lesson=True)]
        return [row for row in first if row]

    def _next_row(self, by_lesson: Mapping[str, LessonProgress]) -> _MapRow | None:
        progress, course = self.services.progress, self.services.course
        if not course.outlines:
            return None
        step = next_in_lessons(course.outlines, progress.lessons(), progress.cards())
        outline = course.outline(step.lesson) if step else None
        if step is None or outline is None:
            done = rows.First(_("Explore"), _("Labs"), _(" · you have done every lesson"))
            labs = next(place for place in MAP_PLACES if place.place == "labs")
            return self._place_row(labs)._replace(
                entry=(done.draw, partial(self.navigation.open_place, "labs"))
            )
        match step:
            case ReadLesson(screen=screen):
                opener = partial(self.navigation.open_outline, outline, screen)
            case AnswerQuestions():
                opener = partial(self.navigation.open_outline, outline, quiz=True)
        describe = partial(self._about_lesson, outline, by_lesson[outline.id])
        left = left_for_later(course.outlines, progress.lessons(), progress.cards(), step)
        row = rows.lesson_row(outline, step)
        if isinstance(step, ReadLesson) and not step.begun:
            numbers = [each.number for each in course.outlines if each.id in left]
            row = rows.with_left(row, numbers, sum(left.values()))
        return _MapRow((row.draw, opener), _title(outline), describe)

    def _review_row(self, *, after_lesson: bool = False) -> _MapRow:
        queue, now = self.services.review_queue(), self.services.progress.clock()
        row = rows.review_row(queue, now, after_lesson=after_lesson)
        opener = partial(self.navigation.open_place, "review")
        return _MapRow((row.draw, opener), "Review", self._about_review)

    def _lesson_rows(
        self, by_lesson: Mapping[str, LessonProgress], *, summarized: bool
    ) -> list[_MapRow]:
        """Return the rows of the lessons, with a line below each title if `summarized`."""
        lessons, now = self.services.course.outlines, self.services.progress.clock()
        due = self._duties().lessons
        all_said = [rows.said(by_lesson[each.id], due.get(each.id), now) for each in lessons]
        room = rows.room(lessons, all_said)
        draw = rows.summarized_row if summarized else rows.map_row
        return [
            _MapRow(
                (
                    partial(draw, lesson, by_lesson[lesson.id], said, room),
                    partial(self._open_lesson, lesson, by_lesson[lesson.id]),
                ),
                _title(lesson),
                partial(self._about_lesson, lesson, by_lesson[lesson.id]),
                partial(self._ask_again, lesson) if by_lesson[lesson.id].wrong_words else None,
            )
            for lesson, said in zip(lessons, all_said, strict=True)
        ]

    def _open_lesson(self, outline: Outline, where: LessonProgress) -> None:
        """Open a lesson at its current screen or, if it is done, at its first screen.

        If its questions come next, open them above the text, so that Esc leads to the text.
        """
        again = where.done and not where.in_quiz
        self.navigation.open_outline(outline, outline.screens[0].id if again else None)
        if where.in_questions:
            self.navigation.open_outline(outline, quiz=True)

    def _ask_again(self, outline: Outline) -> None:
        """Open the questions of a lesson that is done. Esc returns to the course map."""
        self.navigation.open_outline(outline, quiz=True)

    def _place_row(self, place: MapPlace) -> _MapRow:
        opener = partial(self.navigation.open_place, place.place)
        row = partial(rows.place_row, place.key, place.text.title, place.text.what)
        describe = partial(details.description, place.text.about, ())
        return _MapRow((row, opener), place.text.title, describe)

    # --- the descriptions -----------------------------------------------------------------------

    def _about_lesson(self, outline: Outline, where: LessonProgress, width: int) -> Content:
        lines = details.of_lesson(outline, where, self._memory_of.get(outline.id))
        about = details.description(safe(outline.summary), lines, width)
        state = self.services.progress.lesson(outline.id)
        screens = screen_list(outline.screens, state.screen, set(state.seen), width)
        return Content("\n").join([about, Content(""), screens])

    def _about_review(self, width: int) -> Content:
        state, now = self.services.progress.state(), self.services.progress.clock()
        retention = self.services.retention
        forecast = review.forecast(state, self.services.asked, now, retention=retention)
        queue = self.services.review_queue()
        lines = details.of_reviews(forecast, queue, self.services.limits, self._memory, now)
        text = _(
            "Each question that you have answered comes back on the day when you are about to "
            "forget the answer."
        )
        if lines:
            text += f" {BOTH}"
        return details.description(text, lines, width)


def _title(outline: Outline) -> str:
    return f"{outline.number} {safe(outline.title)}"
