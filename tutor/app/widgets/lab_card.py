"""The task and the goals of a lab: a card in a lesson, and lines above the lab itself."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tutor.app.theme import ACT, KEY, MUTED, RIGHT
from tutor.app.widgets.clicks import press_key, press_named
from tutor.app.widgets.inline import plain
from tutor.app.widgets.key_names import press, with_keys
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.static import Static
from tutor.course.goals import OTHER_GOALS, description
from tutor.course.lesson import Lab
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from textual.events import Click

    from tutor.labs.kit.registry import AnyLab

LONG = 1000
"""A width, in columns, at which no line is wrapped."""
ROOM = 20
"""The minimum height of the screen, in rows, to show the task above the next goal."""


class LabCard(Static):
    """A card with the key that opens the lab, the task, and the state of each goal.

    A click anywhere on the card opens the lab.
    """

    _lab: Lab | None = None
    _reached = 0
    _begun = ""
    """How many goals have been reached, if some but not all of them have."""
    _news = False
    """Whether there are more reached goals than the learner has seen on this card."""
    _lines: Sequence[Content] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._draw())

    def show(self, lab: Lab | None, reached: Set[int], *, done: bool) -> None:
        """Show a lab, or hide the card if `lab` is None.

        `reached` contains the indexes of the goals that have been reached. If there are more of
        them than before, so that the card grows, its end is scrolled into view.
        """
        self._news = lab is not None and lab is self._lab and len(reached) + done > self._reached
        self._lab, self._reached = lab, len(reached) + done
        self._begun = ""
        self.display = lab is not None
        self.set_class(done, "-done")
        if lab is None:
            return
        if reached and not done:
            self._begun = goals_reached(len(reached), len(lab.goals))
        lines = [with_keys(plain(lab.task))]
        for place, goal in enumerate(lab.goals):
            lines.append(goal_line(description(goal, lab), done or place in reached, muted=True))
        if done:
            lines.append(Content.assemble(("✓ ", RIGHT), plain(lab.done)))
        self._lines = lines
        self._draw()

    def on_click(self) -> None:
        press_key(self, "l")

    def on_resize(self) -> None:
        """Scroll to the end of a card that has grown, which is the last widget of its container."""
        if self._news and isinstance(self.parent, Widget):
            self._news = False
            self.parent.scroll_end(animate=False)

    def _draw(self) -> None:
        """Draw the card. Its first line says how to open the lab."""
        if self._lab is None:
            return
        key = press(self.screen, "l")
        if self._begun:
            opens = _("{press} to continue the lab ({goals}). Your task there:").format(
                press=key, goals=self._begun
            )
        else:
            opens = _("{press} to open the lab. Your task there:").format(press=key)
        head = Content.assemble((_("Lab  "), "bold"), with_keys(opens))
        self.update(Content("\n").join([head, *self._lines]))


@dataclass(frozen=True)
class GoalLine:
    """The name of a goal, and its description."""

    name: str
    says: str


def goals_of(lab: AnyLab, first: Sequence[str] = ()) -> list[GoalLine]:
    """Return the goals of a lab from `tutor.labs`. The goals named in `first` come first."""
    goals = sorted(lab.goals, key=lambda goal: goal.name not in first)
    return [GoalLine(goal.name, goal.says) for goal in goals]


class LabTask(Lines):
    """The task of a lab in up to `rows` lines (at least 2 on a tall screen), and its next goal.

    `about` replaces the task if no lesson screen asks for it, or after its goals are reached. `own`
    contains the names of the goals that a lesson screen asks for, which come first. Only they are
    counted. After they are reached, a line says to return to the lesson, and from the learner's
    next change on, how many goals the lesson screen does not ask for are left. After a goal is
    reached, it is shown above the next goal, and the task gets the lines that are left. A goal that
    the lesson screen does not ask for takes only the line of the next goal, so that the task stays
    visible. After all goals are reached, `done` replaces the task.

    If `open_` is true, the whole task and all goals are shown, divided into pages if they do not
    fit on the screen. A blank line follows if the screen has at least `gap_from` rows. A click
    shows or hides all goals, or presses the key whose name is clicked.
    """

    DEFAULT_CSS = """
    LabTask { height: auto; }
    LabTask.-roomy { margin-bottom: 1; }
    """

    def __init__(
        self,
        task: str,
        goals: Sequence[GoalLine],
        *,
        rows: int = 1,
        gap_from: int = 30,
        about: str = "",
        done: str = "",
        own: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._own = frozenset(own)
        self._wanted, self._about, self._done = plain(task), about, plain(done)
        self._goals = goals
        self._rows, self._gap_from = rows, gap_from
        self._shown: tuple[Set[str], Sequence[str], bool] = (frozenset(), (), False)
        self._page = 0
        self._pages = 1
        self._said_esc: bool | None = None
        """Whether the lines say that Esc goes back, or None if they do not depend on it."""

    def show_goals(
        self, reached: Set[str], *, news: Sequence[str] = (), open_: bool = False
    ) -> None:
        """Show the goals.

        `reached` contains the names of all goals that have been reached, and `news` those that the
        learner has only just reached.
        """
        self._shown = (reached, news, open_)
        self._page = self._page if open_ else 0
        self.draw_with(self._lay_out)

    def next_page(self) -> bool:
        """Show the next page of the goals. Return False if there is no further page."""
        if self._page + 1 >= self._pages:
            return False
        self._page += 1
        self._lay_out()
        return True

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._keys_changed)
        self.draw_with(self._lay_out)

    def _keys_changed(self, _screen: object) -> None:
        if self._said_esc not in (None, self._esc_goes_back):
            self.draw_with(self._lay_out)

    @property
    def _esc_goes_back(self) -> bool:
        """True if Esc leaves the lab now, and does not first stop an answer or close something."""
        esc = self.screen.active_bindings.get("escape")
        closes_goals = self._shown[2] and not self.screen.has_class("-panels")
        return esc is not None and esc.binding.action == "back" and not closes_goals

    def on_click(self, event: Click) -> None:
        if not press_named(self, event):
            press_key(self, "g")

    def _lay_out(self) -> None:
        reached, news, open_ = self._shown
        width, height = self.size.width, self.screen.size.height
        self._said_esc = None
        self.set_class(height >= self._gap_from, "-roomy")
        if open_:
            lines = self._everything(reached, width, gap=ROOM <= height < self._gap_from)
            said = self._news(reached, news, width)
            self.show(self._on_page([*lines, Content(""), *said] if said else lines))
        elif height < ROOM:
            lines = self._news(reached, news, LONG) or self._next(reached, width, ())
            if len(lines) > 1 and not news:  # this leaves out the number of goals reached
                lines = [goal_line(self._left(reached)[0].says, False)]
            self.show([line.truncate(width, ellipsis=True) for line in lines])
        else:
            task = self._wanted if self._own - reached else self._about or self._wanted
            about = with_keys(task, MUTED)
            if self._over(reached):
                about = Content(self._done)
            lines = self._with_task(about, reached, width)
            said = self._news(reached, news, width)
            if self._still_on_task(reached, news):
                said = self._first_lines(about, width, max(1, len(lines) - 1))
                said.append(self._also_reached(news, width))
            elif said and len(said) < len(lines) and task == self._wanted and self._left(reached):
                said += self._first_lines(about, width, len(lines) - len(said))
            if said:  # the number of lines stays the same, so that nothing below moves
                said += [Content("")] * (len(lines) - len(said))
            self.show(said or lines)

    def _with_task(self, about: Content, reached: Set[str], width: int) -> list[Content]:
        """Return lines with the beginning of the task, and the next goal.

        They include the number of goals reached, unless the number would need a line of its own
        and there is more of the task to show on that line.
        """
        rows = max(self._rows, 2 if self.has_class("-roomy") else 1)
        short, long = (self._first_lines(about, width, rows + more) for more in (0, 1))
        lines = self._next(reached, width, short)
        for count in (True, False):
            more = self._next(reached, width, long, count=count)
            if len(more) == len(lines):
                return more
        return lines

    def _everything(self, reached: Set[str], width: int, *, gap: bool) -> list[Content]:
        """Return lines with the whole task and all goals."""
        lines = [*with_keys(self._wanted).wrap(width)]
        for place, goal in enumerate(self._goals):
            if 0 < place == len(self._own):
                lines += Content.styled(OTHER_GOALS, MUTED).wrap(width)
            line = goal_line(goal.says, goal.name in reached)
            lines += hanging(line[:2], line[2:], width).split()
        if self._over(reached):
            lines += Content(self._done).wrap(width)
        return [*lines, Content("")] if gap else lines

    def _on_page(self, lines: list[Content]) -> list[Content]:
        """Return the lines of the current page. The last one names the key for the next page."""
        room = min((each.size.height for each in self.screen.query("#content")), default=0)
        if not 2 <= room < len(lines):
            self._pages = 1
            return lines
        size = room - 1
        self._pages = -(-len(lines) // size)
        self._page = min(self._page, self._pages - 1)
        end = (self._page + 1) * size
        shown = lines[end - size : end]
        if not (hidden := lines[end:]):
            return shown
        more = Content.assemble((f"▼ {counted(len(hidden), 'more line')}  ", MUTED), ("g", KEY))
        return [*shown, more]

    def _first_lines(self, text: Content, width: int, rows: int) -> list[Content]:
        """Return up to `rows` lines of a text, with the key that shows the whole text."""
        lines = list(text.wrap(width))
        if len(lines) <= rows:
            return lines
        more = Content.assemble(("… ", MUTED), ("g", KEY), (_(" more"), MUTED))
        last = Content(" ").join(lines[rows - 1 :]).truncate(width - more.cell_length)
        cut = last.plain.rpartition(" ")[0].rstrip(" ,;:.")
        return [*lines[: rows - 1], last[: len(cut)] + more]

    def _count(self, reached: Set[str]) -> str:
        """Say how many goals are reached. If a lesson screen asks for some, only those count."""
        names = self._own or {goal.name for goal in self._goals}
        return goals_reached(len(names & reached), len(names))

    def _over(self, reached: Set[str]) -> bool:
        """Return True if all goals are reached and there is a text to show in that case."""
        return bool(self._done and self._goals) and not self._left(reached)

    def _left(self, reached: Set[str]) -> list[GoalLine]:
        return [goal for goal in self._goals if goal.name not in reached]

    def _still_on_task(self, reached: Set[str], news: Sequence[str]) -> bool:
        """Return True if only goals that the lesson screen does not ask for have been reached.

        In that case, the learner still works on the task.
        """
        return bool(news) and bool(self._own - reached) and not self._own & set(news)

    def _also_reached(self, news: Sequence[str], width: int) -> Content:
        """Return one line with the goals that were reached while working on the task."""
        says = "; ".join(goal.says for goal in self._goals if goal.name in news)
        text = Content.assemble(("✓ ", RIGHT), (_("Also reached: "), f"bold {RIGHT}"))
        return self._first_lines(text + with_keys(says), width, 1)[0]

    def _news(self, reached: Set[str], news: Sequence[str], width: int) -> list[Content]:
        """Return lines that announce the goals just reached, and the next goal."""
        if not news:
            return []
        told = [goal for goal in self._goals if goal.name in news]
        asked = [goal for goal in told if not self._own or goal.name in self._own]
        others = [goal for goal in told if goal not in asked]
        text = Content("  ").join(
            Content.assemble(
                (head, f"bold {RIGHT}"), with_keys("; ".join(goal.says for goal in goals))
            )
            for head, goals in (
                (f"{self._count(reached)}: ", asked),
                (_("Also reached: "), others),
            )
            if goals
        )
        lines = hanging(Content.styled("✓ ", RIGHT), text, width).split()
        left = self._left(reached)
        if not left:
            esc = self._said_esc = self._esc_goes_back
            says = _("All goals are reached. Press Esc to go back.")
            return [*lines, goal_line(says if esc else _("All goals are reached."), True)]
        if self._own & set(news) and self._own <= reached:
            esc = self._said_esc = self._esc_goes_back
            says = _("Press Esc to go back to the lesson.")
            return [*lines, goal_line(says if esc else _("The task is done."), True)]
        if self._own and self._own <= reached:
            return [*lines, self._task_done(reached, width)]
        text = Content.assemble((_("Next goal: "), "bold"), with_keys(left[0].says))
        return [*lines, *hanging(Content.styled("○ ", ACT), text, width).split()]

    def _next(
        self, reached: Set[str], width: int, above: Sequence[Content], *, count: bool = True
    ) -> list[Content]:
        """Return the lines `above`, followed by the next goal.

        If `count` is true, the number of goals reached is at the end of the last line that has room
        for it.
        """
        left = self._left(reached)
        if not left:
            done = [goal_line(f"{self._count(reached)}.", True)] if self._goals else []
            return [*above, *done]
        if self._own and self._own <= reached:
            return [*above, self._task_done(reached, width)]
        goal = hanging(Content.styled("○ ", ACT), with_keys(left[0].says), width).split()
        lines = [*above, *goal]
        if not count:
            return lines
        said = Content.styled(self._count(reached), MUTED)
        for place in (len(lines) - 1, len(above) - 1):
            gap = width - lines[place].cell_length - said.cell_length
            if place >= 0 and gap >= 2:
                lines[place] = Content.assemble(lines[place], " " * gap, said)
                return lines
        return [*lines, Content("  ") + said]

    def _task_done(self, reached: Set[str], width: int) -> Content:
        """Return a line with the goals of the lesson screen and, if they fit, how many are left."""
        line = goal_line(self._count(reached), True)
        more = counted(len(self._left(reached)), "more goal")
        said = _("{goals}, not asked for here").format(goals=more)
        left = Content.assemble((f"{said}  ", MUTED), ("g", KEY))
        gap = width - line.cell_length - left.cell_length
        return Content.assemble(line, " " * gap, left) if gap >= 2 else line


def goals_reached(reached: int, goals: int) -> str:
    """Say how many goals of a lab have been reached."""
    return _("{done} of {goals} reached").format(done=reached, goals=counted(goals, "goal"))


def goal_line(words: str, reached: bool, *, muted: bool = False) -> Content:
    """Draw a goal. A goal that has not been reached is highlighted, unless `muted` is true."""
    sign = ("✓ ", RIGHT) if reached else ("○ ", MUTED if muted else ACT)
    return Content.assemble(sign, with_keys(words, MUTED if reached or muted else ""))
