"""The end of a lesson: what was learned, what is left to do, and where to go next."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from tutor.app.background.goal_keeper import reached
from tutor.app.base_screen import ENTER_PAGES
from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets.figures import when
from tutor.app.widgets.inline import inline, plain
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.static import Static
from tutor.language import _, ngettext
from tutor.study.lesson_progress import lesson_progress
from tutor.study.next_step import AnswerQuestions, ReadLesson, next_in_lessons
from tutor.study.results import Results, coming_back, results
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from textual.app import ComposeResult

    from tutor.app.services import Navigation, Services
    from tutor.course.lesson import Lab, Lesson, Screen
    from tutor.course.outline import Outline
    from tutor.course.questions.question import Question
    from tutor.study.lesson_progress import LessonProgress
    from tutor.study.next_step import LessonStep

_KEPT = _("Press r to restart the quiz; your answers are kept.")
_WIDEST = 96
"""The maximum width of lines of text, in columns."""
_WIDE = 120
"""The minimum width, in columns, to show what was learned next to the entries."""
_SIDE = 44
"""The maximum width, in columns, of the text next to the entries."""
_LEARNED = _("What you have learned")
_HEAD = 12
"""The width of the labels, in columns."""


class ResultMenu(Menu):
    """The menu at the end of a lesson. If the selected entry is hidden, Enter only pages down."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose" and self.cursor_hidden:
            return False
        return super().check_action(action, parameters)


class ResultScreen(MenuScreen):
    """The screen at the end of a lesson.

    The first entries continue with the course or with what is left to do in this lesson. Below them
    are all questions of the lesson. Choosing a question opens the lesson screen that explains it.
    """

    CSS_PATH = "result.tcss"
    SCROLLED = "#result"
    BINDINGS: ClassVar[list[BindingType]] = [
        ENTER_PAGES,
        Binding(
            "a",
            "questions",
            "questions",
            tooltip="Answer only the questions that you left open or answered wrong.",
        ),
        Binding(
            "r",
            "again",
            "restart",
            tooltip="Restart the quiz with all questions. Your earlier answers are kept.",
        ),
        Binding("l", "lab", "lab", tooltip="Open the lab for the selected question."),
        Binding("space,pagedown", "page(1)", show=False, tooltip="Page down. PgUp pages up."),
        Binding("pageup", "page(-1)", show=False),
    ]

    def __init__(
        self, services: Services, navigation: Navigation, lesson: Lesson, unsure: Set[str]
    ) -> None:
        """Create the screen.

        `unsure` contains the ids of the questions whose answers the learner has just marked as
        guesses.
        """
        super().__init__(services, navigation)
        self.lesson = lesson
        self._unsure = unsure
        self._labs: list[Lab | None] = []
        """The lab that belongs to each entry, or None."""

    def compose_content(self) -> ComposeResult:
        with Horizontal(id="columns"):
            with VerticalScroll(id="side", classes="panel", can_focus=False) as side:
                side.border_title = Content(_LEARNED)
                yield Static(id="overview", markup=False)
            with VerticalScroll(id="result", classes="panel", can_focus=False) as ways:
                ways.border_title = Content(_("Where to go next"))
                yield Static(id="learned", markup=False)
                yield Static(id="score", markup=False)
                yield ResultMenu()
        yield MoreBelow(self.SCROLLED)

    def on_mount(self) -> None:
        self.watch(self.query_one(Menu), "cursor", self.refresh_bindings)
        self.call_after_refresh(self.query_one("#result").scroll_home, animate=False)

    def on_resize(self) -> None:
        self.fill()

    @property
    def _results(self) -> Results:
        return results(self.lesson, self.services.progress.cards())

    @property
    def _progress(self) -> LessonProgress:
        progress = self.services.progress
        return lesson_progress(self.lesson, progress.lesson(self.lesson.id), progress.cards())

    def fill(self) -> None:
        found = self._results
        done = self._progress.done
        name = (
            _("{number} {title} · ✓ lesson done")
            if done
            else _("{number} {title} · end of the lesson")
        )
        self.place = name.format(number=self.lesson.number, title=safe(self.lesson.title))
        self._show_summary(found)
        entries: list[Entry | None] = [*self._ways_on(found)]
        self._labs = [None] * len(entries)
        for screen in self._open_labs():
            entries.append(self._lab_entry(screen))
            self._labs.append(screen.lab)
        entries.append(None)
        self._labs.append(None)
        for question in self._in_order(found):
            entries.append(self._question_entry(question, found))
            about = self.lesson.screen(question.screen or "")
            self._labs.append(about.lab if about else None)
        self.show_entries(entries)
        self.refresh_bindings()

    def _show_summary(self, found: Results) -> None:
        """Show what was learned and how many answers are right, next to or above the entries."""
        wide = self.app.size.width >= _WIDE and bool(self.lesson.learned)
        self.set_class(wide, "-panels")
        scroll = self.query_one("#side" if wide else "#result")
        room = scroll.scrollable_content_region.width or self.app.size.width - 3
        width = min(_WIDEST, _SIDE if wide else room)
        learned, summary = _learned(self.lesson.learned, width), self._summary(found, width)
        self._show_text("#overview", [*learned, Content(""), *summary] if wide else [])
        title = [Content.styled(_LEARNED, "bold")] if learned else []
        self._show_text("#learned", [] if wide else title + learned)
        self._show_text("#score", [] if wide else summary)

    def _show_text(self, name: str, lines: list[Content]) -> None:
        text = self.query_one(name, Static)
        text.update(Content("\n").join(lines))
        text.display = bool(lines)

    # --- the text above the entries -----------------------------------------------------------

    def _summary(self, found: Results, width: int) -> list[Content]:
        """Return lines about the number of right answers, the labs, and the upcoming reviews."""
        lines = []
        if self.lesson.questions:
            kept = "" if found.left else f" {_KEPT}"
            lines += [_row(_("Questions"), f"{_score(found)}{self._missing()}{kept}", width)]
        if self.lesson.labs:
            lines += [_row(_("Labs"), self._lab_count(), width)]
        if self.lesson.questions:
            lines += [_row(_("Review"), self._coming(), width)]
        return lines

    def _missing(self) -> str:
        """Say what is missing before the lesson counts as done.

        Return "" if nothing is missing, or if the first entry leads to unread screens.
        """
        here = self._progress
        if here.done or here.seen < here.screens:
            return ""
        return _(" To finish the lesson, press a and answer {questions} right.").format(
            questions=counted(here.left, "more question")
        )

    def _lab_count(self) -> str:
        left = self._open_labs()
        done = len(self.lesson.labs) - len(left)
        said = _("{done} of {count} done").format(done=done, count=len(self.lesson.labs))
        goals = sum(len(self._goals_left(screen.lab)) for screen in left if screen.lab)
        return (
            _("{said}, {goals} open.").format(said=said, goals=counted(goals, "goal"))
            if goals
            else f"{said}."
        )

    def _coming(self) -> str:
        services, progress = self.services, self.services.progress
        now, limits = progress.clock(), services.limits
        return coming_back(self.lesson, progress.state(), services.asked, now, limits, when)

    # --- the entries --------------------------------------------------------------------------

    def _ways_on(self, found: Results) -> list[Entry]:
        """Return the entries for what comes next, and for what is left to do in this lesson."""
        ways: list[Entry] = []
        if (unread := self._unread()) is not None:
            row = partial(
                _way, _("Read on"), _("screen “{title}”").format(title=safe(unread.title))
            )
            ways.append((row, partial(self.navigation.open_lesson, self.lesson, unread.id)))
        step = self._next_step()
        outline = self.services.course.outline(step.lesson) if step else None
        if step is None or outline is None:
            row = partial(_way, _("Course map"), _("You have done every lesson of the course."))
            ways.append((row, partial(self.navigation.close_lesson, self.lesson)))
        elif outline.id != self.lesson.id:
            asks = _(": questions") if isinstance(step, AnswerQuestions) else ""
            begins = isinstance(step, ReadLesson) and not step.begun
            verb = _("Next lesson") if begins else _("Continue")
            row = partial(_way, verb, f"{outline.number} {safe(outline.title)}{asks}")
            ways.append((row, partial(self._go_on, outline, step)))
        if found.left:
            said = ngettext(
                "Answer only the {count} question that you skipped or got wrong.",
                "Answer only the {count} questions that you skipped or got wrong.",
                len(found.left),
            ).format(count=len(found.left))
            ways.append((partial(_way, _("Questions"), said), self.action_questions))
        return ways

    def _unread(self) -> Screen | None:
        """Return the first screen of the lesson that the learner has not seen, or None."""
        seen = self.services.progress.lesson(self.lesson.id).seen
        return next((screen for screen in self.lesson.screens if screen.id not in seen), None)

    def _next_step(self) -> LessonStep | None:
        progress = self.services.progress
        outlines = self.services.course.outlines
        return next_in_lessons(outlines, progress.lessons(), progress.cards(), self.lesson.id)

    def _go_on(self, outline: Outline, step: LessonStep) -> None:
        self.navigation.close_lesson(self.lesson)
        if isinstance(step, AnswerQuestions):
            self.navigation.open_outline(outline, quiz=True)
        else:
            self.navigation.open_outline(outline, step.screen)

    def _open_labs(self) -> list[Screen]:
        """Return the lesson screens whose labs are not done."""
        done = self.services.progress.lesson(self.lesson.id).labs_done
        return [each for each in self.lesson.screens if each.lab and each.lab.id not in done]

    def _goals_left(self, lab: Lab) -> list[int]:
        now = reached(lab, self.services.progress.lesson(self.lesson.id))
        return [place for place in range(len(lab.goals)) if place not in now]

    def _lab_entry(self, screen: Screen) -> Entry:
        assert screen.lab is not None
        left = len(self._goals_left(screen.lab))
        goals = _(": {goals} open").format(goals=counted(left, "goal")) if left else ""
        row = partial(_way, _("Lab"), f"{safe(screen.title)}{goals}")
        return row, partial(self.navigation.open_lab, self.lesson, screen.lab)

    def _in_order(self, found: Results) -> Sequence[Question]:
        """Return the questions in this order: open or wrong, guessed, and right."""
        guessed = [each for each in found.right if each.id in self._unsure]
        sure = [each for each in found.right if each.id not in self._unsure]
        return [*found.left, *guessed, *sure]

    def _question_entry(self, question: Question, found: Results) -> Entry:
        look = partial(self.navigation.open_lesson, self.lesson, question.screen, look=True)
        return partial(self._question_row, question, found), look

    def _question_row(self, question: Question, found: Results, width: int) -> Content:
        mark, note, style = "✓", "", RIGHT
        if question in found.wrong:
            mark, note, style = "×", _("wrong"), NOT_YET
        elif question in found.open_:
            mark, note, style = "○", _("left for later"), ACT
        elif question.id in self._unsure:
            mark, note, style = "✓", _("guessed"), MUTED
        where = self.lesson.screen(question.screen or "")
        screen = _("screen “{title}”").format(title=safe(where.title)) if where else ""
        lab = _("with a lab") if where and where.lab else ""
        tail = ", ".join(filter(None, (note, screen, lab)))
        head = Content.assemble((mark, f"bold {style}"), " ")
        line = head + Content(plain(question.ask)).truncate(max(1, width - 2), ellipsis=True)
        if not note:
            return line
        return line + Content("\n") + hanging(Content("  "), Content.styled(tail, MUTED), width)

    # --- keys ---------------------------------------------------------------------------------

    @property
    def _lab(self) -> Lab | None:
        """The lab that belongs to the selected entry, or None."""
        # The menu is gone while the screen closes.
        cursor = next((menu.cursor for menu in self.walk_children(Menu)), -1)
        return self._labs[cursor] if 0 <= cursor < len(self._labs) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "lab":
                return self._lab is not None
            case "questions":
                return bool(self._results.left)
            case "again":
                return bool(self.lesson.questions)
            case "more":
                return self.hides_text
        return True

    def action_back(self) -> None:
        """Leave the lesson by closing this screen and the lesson's other screens below it."""
        self.navigation.close_lesson(self.lesson)

    def action_lab(self) -> None:
        if (lab := self._lab) is not None:
            self.navigation.open_lab(self.lesson, lab)

    def action_questions(self) -> None:
        self.navigation.restart_quiz(self.lesson, only_left=True)

    def action_again(self) -> None:
        self.navigation.restart_quiz(self.lesson)


def _learned(sentences: Sequence[str], width: int) -> list[Content]:
    return [hanging(Content.styled("• ", MUTED), inline(each), width) for each in sentences]


def _score(found: Results) -> str:
    total = len(found.right) + len(found.left)
    said = _("{count} of {total} right").format(count=len(found.right), total=total)
    if found.wrong:
        said += _(", {count} wrong").format(count=len(found.wrong))
    if found.open_:
        said += _(", {count} left for later").format(count=len(found.open_))
    return f"{said}."


def _row(name: str, said: str, width: int) -> Content:
    return hanging(Content.styled(f"{name:<{_HEAD}}", MUTED), with_keys(said), width)


def _way(name: str, said: str, width: int) -> Content:
    """Draw an entry that continues the course or this lesson."""
    head = Content.styled(f"{name:<{_HEAD}}", f"bold {ACT}")
    return (head + Content(said)).truncate(width, ellipsis=True)
