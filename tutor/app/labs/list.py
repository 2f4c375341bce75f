"""The list of all labs, in the order of the course, with the number of goals reached."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.reader.finder import FinderScreen
from tutor.app.theme import MUTED, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.inline import plain
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.lab_card import goal_line
from tutor.app.widgets.menu import Menu
from tutor.course.questions.spelling import plain as comparable
from tutor.labs.kit import registry
from tutor.labs.kit.lab import LONGEST_ABOUT
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.course_screen import Entry
    from tutor.app.services import Navigation, Services
    from tutor.labs.kit.registry import AnyLab

LAST_LAB = "labs.last"
"""The name of the setting that stores which lab was most recently opened from this list."""

_TITLE = 30
_LESSON = 9
_COUNT = 8
_GAP = 2
_WIDE = _TITLE + LONGEST_ABOUT + _LESSON + _COUNT + 3 * _GAP
"""The minimum width, in columns, to show a lab on one line."""
_NARROW = _TITLE + _GAP + _COUNT
"""The width, in columns, of a lab's first line on a narrow screen, where a lab has two lines."""


_PANELS = 160
"""The minimum width, in columns, to show the goals of the selected lab next to the list."""


class LabsScreen(FinderScreen):
    """A list of labs, from which the learner can open any lab before reading its lesson.

    The text that the learner types filters the labs by title, description and lesson. The lab with
    exactly this title comes first, followed by titles that begin with the text and titles that
    contain it. At first, the most recently opened lab is selected. When the
    filter is removed, the lab that was selected before is selected again.
    """

    CSS_PATH = "../reader/finder.tcss"
    PLACEHOLDER = _("type to filter")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_PANELS, "-panels")]  # noqa: RUF012 (Textual's type)
    IS_FILTER = True

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._shown: list[AnyLab] = []
        self._filtered = False
        last = services.progress.setting(LAST_LAB)
        self._selected = last if isinstance(last, str) else None
        """The name of the lab that was selected when the list was last shown without a filter."""

    def on_mount(self) -> None:
        self.place = _("tutor · labs")
        self.query_one("#list").border_title = Content(_("Labs"))

    def on_screen_resume(self) -> None:
        """Update the number of goals reached, and keep the same lab selected."""
        self._list(self.words, self._at_cursor)

    def look_up(self, words: str) -> None:
        if words and not self._filtered:
            self._selected = self._at_cursor
        self._filtered = bool(words)
        self._list(words, None if words else self._selected)

    @property
    def _at_cursor(self) -> str | None:
        at = self.query_one(Menu).cursor
        return self._shown[at].name if 0 <= at < len(self._shown) else self._selected

    def _list(self, words: str, selected: str | None) -> None:
        wanted, labs = comparable(words), registry.every()
        shown = [lab for lab in labs if wanted in comparable(self._searched(lab))]
        shown.sort(key=lambda lab: _rank(lab, wanted))
        reached = sum(len(self.services.goals.kept(lab)) for lab in labs)
        # A lesson counts these labs too, as well as its steppers and chats, which have other goals.
        self.aside = _("{reached} of {value} goals in these {count} labs").format(
            reached=reached, value=sum(len(lab.goals) for lab in labs), count=len(labs)
        )
        if words:
            self.aside = _("{count} of {count2} labs").format(count=len(shown), count2=len(labs))
        at = next((place for place, lab in enumerate(shown) if lab.name == selected), 0)
        self._shown = shown
        about = [(lab.title, self._goals(lab)) for lab in shown]
        self.found([self._entry(lab) for lab in shown], at, about=about)
        if not shown:
            said = _("No lab contains “{words}”. Press ctrl+p to search lessons and terms, too.")
            self.tell(said.format(words=words))

    def _searched(self, lab: AnyLab) -> str:
        outline = self.services.course.outline(lab.lesson)
        return " ".join((lab.name, lab.title, lab.about, outline.title if outline else ""))

    def _entry(self, lab: AnyLab) -> Entry:
        outline = self.services.course.outline(lab.lesson)
        lesson = _("lesson {number}").format(number=outline.number) if outline else ""
        reached = len(self.services.goals.kept(lab))
        return partial(_row, lab, lesson, reached), partial(self._open_lab, lab)

    def _goals(self, lab: AnyLab) -> Content:
        """Return the task of a lab, and its goals with their states."""
        kept = self.services.goals.kept(lab)
        goals = [goal_line(goal.says, goal.name in kept) for goal in lab.goals]
        return Content("\n").join([with_keys(plain(lab.task)), Content(""), *goals])

    def _open_lab(self, lab: AnyLab) -> None:
        self.services.progress.save_setting(LAST_LAB, lab.name)
        self._selected = lab.name
        self.navigation.open_live_lab(lab.name)


def _rank(lab: AnyLab, wanted: str) -> int:
    """Return how well `wanted` matches the name or the title of a lab. 0 is the best match."""
    names = [comparable(name) for name in (lab.title, lab.name)]
    if wanted in names:
        return 0
    if names[0].startswith(wanted):
        return 1
    return 2 if any(wanted in name for name in names) else 3


def _row(lab: AnyLab, lesson: str, reached: int, width: int) -> Content:
    """Draw a lab on one line or, if the screen is narrow, on two."""
    done = reached == len(lab.goals)
    count = Content.styled(
        _("{value}{reached} of {count}")
        .format(value="✓ " if done else "", reached=reached, count=len(lab.goals))
        .rjust(_COUNT),
        RIGHT if done else MUTED,
    )
    if width >= _WIDE:
        return Content.assemble(
            (figures.fit(lab.title, _TITLE), "bold"),
            f"  {figures.fit(lab.about, LONGEST_ABOUT)}  ",
            (f"{lesson:<{_LESSON}}  ", MUTED),
            count,
        )
    room = min(width, _NARROW)
    title = figures.fit(lab.title, max(8, room - _COUNT - _GAP))
    about = Content.styled(" · ".join(filter(None, (lesson, lab.about))), MUTED)
    return Content.assemble((title, "bold"), "  ", count, "\n", about)
