"""The course map, which is the first screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor import paths
from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.figures import when
from tutor.app.widgets.menu import Menu, Row
from tutor.app.widgets.meter import meter
from tutor.classroom.due import duties, in_few_words, on_the_map
from tutor.learner.records import LessonState
from tutor.study.lesson_progress import LessonProgress, lesson_progress
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tutor.app.background.status import ModelStatus
    from tutor.app.services import Place
    from tutor.classroom.due import Duties, LessonDue
    from tutor.course.outline import Outline
    from tutor.learner.review import Queue

_BAR = 10
_WORDS = 12
_VERB = 11
_NARROW = 60
_FRAME = 4
"""The lines above and below the course map, with one line of keys."""
"""The width, in columns, below which the progress bar is left out."""


class _Place(NamedTuple):
    """A screen that opens with its own key.

    `what` is a verb phrase that describes what the learner does there.
    """

    key: str
    place: Place
    name: str
    what: str
    listed: bool = False
    """Whether the course map has a row for the screen, in which case the key line omits its key.

    With more such rows, twelve lessons would not fit on 24 lines.
    """
    shown: bool = True
    """Whether the key line may show the key. If False, only the help screen shows it."""


_PLACES = (
    _Place("r", "review", "Review", "answer the questions that are due"),
    _Place("s", "step", "Stepper", "step through a text, one token at a time", listed=True),
    _Place("c", "chat", "Chat", "chat with the model and inspect every token", listed=True),
    _Place("g", "guess", "Guessing game", "try to beat the model at guessing tokens", listed=True),
    _Place("l", "labs", "Labs", "run experiments with goals to reach", listed=True),
    _Place("p", "progress", "Progress", "see how well you know each lesson"),
    _Place("m", "model", "Model", "see the details of the model in use", shown=False),
)


class HomeScreen(MenuScreen):
    """The course map: all lessons with the learner's progress, and the other screens."""

    CSS_PATH = "home.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                each.key,
                f"open('{each.place}')",
                each.place,
                show=each.shown and not each.listed,
                tooltip=f"{each.what.capitalize()}.",
            )
            for each in _PLACES
        ),
        Binding("q", "app.quit", "quit", tooltip="Save everything and quit."),
    ]

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="map", can_focus=False):
            yield Menu()
        yield Static(id="model-note", markup=False)

    def on_mount(self) -> None:
        self.place = "tutor"
        self.watch(self.app, "model_status", self._note_model)
        self.tell_problems()

    def tell_problems(self) -> None:
        """Show errors in the stored progress, and in the files of the course and the class."""
        self.tell(
            *self.services.progress.notices,
            *self.services.course.problems,
            *self._duties().problems,
        )

    def _duties(self) -> Duties:
        """Return the lessons that are due, according to the class file."""
        progress = self.services.progress
        return duties(paths.class_file(), self.services.course, progress, progress.clock())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "back"

    def _note_model(self, status: ModelStatus) -> None:
        note = self.query_one("#model-note", Static)
        note.update(Content(safe(status.note)))
        note.display = bool(status.note)

    def fill(self) -> None:
        progress = self.services.progress
        states, cards = progress.lessons(), progress.cards()
        lessons = self.services.course.outlines
        by_lesson = {
            lesson.id: lesson_progress(
                lesson, states.get(lesson.id) or LessonState(lesson=lesson.id), cards
            )
            for lesson in lessons
        }
        due, now = self._duties().lessons, progress.clock()
        queue = self.services.review_queue()
        open_place = self.navigation.open_place
        entries = self._first_entry(by_lesson)
        entries += [(self._review_row(queue), partial(open_place, "review")), None]
        all_said = [_said(by_lesson[each.id], due.get(each.id), now) for each in lessons]
        room = _room(all_said)
        for lesson, said in zip(lessons, all_said, strict=True):
            row = partial(_lesson_row, lesson, by_lesson[lesson.id], said, room)
            entries.append((row, partial(self.navigation.open_outline, lesson)))
        places: list[Entry | None] = [
            (partial(_place_row, place), partial(open_place, place.place))
            for place in _PLACES
            if place.listed
        ]
        lines_left = self.app.size.height - _FRAME - len(entries) - len(places)
        if lessons and lines_left != 0:  # the blank line is only left out if everything then fits
            entries.append(None)
        entries += places
        self.show_entries(entries, flat=True)
        done = sum(each.done for each in by_lesson.values())
        self.aside = f"{done} of {len(lessons)} done" if states and len(lessons) > 1 else ""

    def _review_row(self, queue: Queue) -> Row:
        if queue.due:
            return partial(_first_row, "Review", f"{len(queue.due)} due", "", act=True)
        said = "nothing to review yet"
        if queue.next_at is not None:
            comes = when(queue.next_at, self.services.progress.clock())
            said = f"none due, next {comes}"
        return partial(_first_row, "Review", "", said, act=False)

    def _first_entry(self, by_lesson: dict[str, LessonProgress]) -> list[Entry | None]:
        """Return the entry that continues where the learner left off, or that begins the course."""
        lessons, open_outline = self.services.course.outlines, self.navigation.open_outline
        if not lessons:
            return []
        last = self.services.course.outline(self.services.progress.last_lesson() or "")
        if last is None:
            row = partial(_first_row, "Begin", _numbered(lessons[0]), "", act=True)
            return [(row, partial(open_outline, lessons[0]))]
        where = by_lesson[last.id]
        screen = f"screen {where.screen_number} of {where.screens}"
        said = f" · {'questions' if where.in_quiz else screen}"
        row = partial(_first_row, "Continue", _numbered(last), said, act=True)
        return [(row, partial(open_outline, last, quiz=where.in_quiz))]


def _numbered(lesson: Outline) -> str:
    return f"{lesson.number} {safe(lesson.title)}"


def _first_row(verb: str, what: str, said: str, width: int, *, act: bool) -> Content:
    """Draw one of the rows above the lessons. `act` highlights something to do now."""
    head = Content.assemble((f"{verb:<{_VERB}}", f"bold {ACT}" if act else ""))
    room = max(4, width - _VERB - len(said))
    shown = Content(what).truncate(room, ellipsis=True)
    return (head + shown + Content.styled(said, MUTED)).truncate(width, ellipsis=True)


class _Said(NamedTuple):
    """A lesson's progress in words, in full and shortened for a narrow screen."""

    full: Content
    short: Content


def _room(all_said: Sequence[_Said]) -> tuple[int, int]:
    """Return the widths of the full and the shortened words, which are the same on every row."""
    full = max((said.full.cell_length for said in all_said), default=0)
    short = max((said.short.cell_length for said in all_said), default=0)
    return max(_WORDS, full), max(_WORDS, short)


def _said(where: LessonProgress, due: LessonDue | None, now: float) -> _Said:
    """Return how far the learner is or, for an assigned lesson, when it is due."""
    if due is not None:
        style = f"bold {NOT_YET}" if due.overdue else ACT
        texts = (on_the_map(due, now), in_few_words(due))
        return _Said(*(Content.styled(text, style) for text in texts))
    words = Content.styled(where.words, RIGHT if where.done else MUTED)
    score = Content.styled(f" · {where.score}" if where.score else "", MUTED)
    return _Said(words + score, words)


def _lesson_row(
    lesson: Outline, where: LessonProgress, said: _Said, room: tuple[int, int], width: int
) -> Content:
    wide = width >= _NARROW
    bar = _BAR + 2 if wide else 0
    title_room = width - 4 - 2 - bar - (room[0] if wide else room[1])
    parts = [
        Content(f"{lesson.number:>2}  {figures.fit(safe(lesson.title), max(8, title_room))}  ")
    ]
    if wide:
        parts += [meter(where.fraction, _BAR), Content("  ")]
    return Content.assemble(*parts, said.full if wide else said.short)


def _place_row(place: _Place, width: int) -> Content:
    row = Content.assemble((f"{place.key:>2}", ACT), "  ", f"{place.name:<15}", (place.what, MUTED))
    return row.truncate(width, ellipsis=True)
