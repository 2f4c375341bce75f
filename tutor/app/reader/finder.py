"""Screens with a search field and a list of matches, such as the glossary."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input

from tutor.app.base_screen import TutorScreen
from tutor.app.course_screen import CourseScreen
from tutor.app.course_screen import Entry as MenuEntry
from tutor.app.key_scheme import GO
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.entry import Entry
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.static import Static
from tutor.course.questions.spelling import plain as comparable
from tutor.course.targets import ScreenTarget, TermTarget
from tutor.errors import TutorError
from tutor.labs.kit.keys import UP_DOWN, pair
from tutor.language import _
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.events import Key

    from tutor.app.services import Navigation, Services
    from tutor.course.search import Hit
    from tutor.course.term import Term


_NEW_WORDS = "/"
"""The key that starts a new search or filter. No search or filter depends on this character."""


class FinderField(Entry):
    """The search field. It accepts every character except `/`.

    While it is empty, the key `?` opens help, and Space pages down.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "arrow(*)", "choose", "Choose an entry."),
        Binding("enter", "submit", "open", tooltip="Open the selected entry."),
        Binding("pageup", "screen.page(-1)", show=False),
        Binding("pagedown,space", "screen.page(1)", show=False),
        Binding("home", "screen.move_to(0)", show=False),
        Binding("end", "screen.move_to(-1)", show=False),
    ]

    NOT_FIRST = "? "

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character != _NEW_WORDS and super().check_consume_key(key, character)


class FinderScreen(CourseScreen):
    """A screen with a search field and a list of matches.

    Subclasses search in `look_up` and pass the matches to `found`. If they also pass descriptions,
    a wide screen shows the description of the selected match at the side.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *TutorScreen.BINDINGS,  # a binding hides all bindings of the same key in base classes
        Binding("escape", "clear", "clear", tooltip="Clear the field.", group=GO),
        Binding("slash", "new_words('filter')", "filter", tooltip="Type a new filter.", group=GO),
        Binding("slash", "new_words('search')", "search", tooltip="Type a new search.", group=GO),
    ]
    CSS_PATH = "finder.tcss"
    PLACEHOLDER: ClassVar[str] = ""
    IS_FILTER: ClassVar[bool] = False
    """Whether the text filters a list that is complete without it.

    If so, Esc first clears the field, and leaves the screen only if the field is empty.
    """

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._openers: Sequence[Callable[[], object]] = ()
        self._about: Sequence[tuple[str, Content]] = ()
        """A title and a description for each match."""

    def look_up(self, words: str) -> None:
        raise NotImplementedError

    def compose_content(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield Static("> ", markup=False)
            yield FinderField(self.PLACEHOLDER)
        with Horizontal(id="columns"):
            with Vertical(id="list", classes="panel"):
                with VerticalScroll(id="found", can_focus=False):
                    menu = Menu()
                    menu.can_focus = False
                    yield menu
                yield MoreBelow("#found")
            with VerticalScroll(id="details", classes="panel", can_focus=False):
                yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        self.query_one(FinderField).focus()
        self.look_up("")
        self.watch(self.query_one(Menu), "cursor", self._describe)

    def found(
        self,
        entries: Sequence[MenuEntry],
        cursor: int = 0,
        *,
        about: Sequence[tuple[str, Content]] = (),
    ) -> None:
        """Show the matches, and select the match at index `cursor`.

        `about` contains a title and a description for each match.
        """
        self._openers = [opener for _, opener in entries]
        self._about = about
        rows = [row for row, _ in entries]
        self.query_one("#found").scroll_home(animate=False)
        self.query_one(Menu).show(rows, cursor=cursor if rows else -1)
        self._describe()

    def _describe(self) -> None:
        """Show the description of the selected match at the side."""
        cursor = self.query_one(Menu).cursor
        title, text = self._about[cursor] if 0 <= cursor < len(self._about) else ("", Content(""))
        self.query_one("#details").border_title = Content(title)
        self.query_one("#about", Static).update(text)

    def copies(self) -> Iterator[Copy]:
        """Yield what can be copied: the selected match and its description."""
        menu = self.query_one(Menu)
        yield from menu.copies()
        if 0 <= menu.cursor < len(self._about):
            title, text = self._about[menu.cursor]
            yield Copy(_("the description"), f"{title}: {text.plain}")

    @property
    def words(self) -> str:
        return self.query_one(FinderField).value.strip()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.tell(None)
        self.refresh_bindings()
        self.look_up(self.words)

    @on(Entry.Arrow)
    def _move(self, event: Entry.Arrow) -> None:
        self.move_selection(event.by)

    def move_selection(self, by: int) -> None:
        """Select the next (1) or the previous (-1) match."""
        self.query_one(Menu).action_move(by)

    def action_page(self, direction: int) -> None:
        self.query_one(Menu).action_page(direction)

    def action_move_to(self, index: int) -> None:
        """Select the first match (0) or the last match (-1)."""
        self.query_one(Menu).action_move_to(index)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("clear", "back"):
            return self._esc_clears == (action == "clear")
        if action == "new_words":
            return ("filter" in parameters) == self.IS_FILTER
        return super().check_action(action, parameters)

    @property
    def _esc_clears(self) -> bool:
        return self.IS_FILTER and any(field.value for field in self.walk_children(FinderField))

    def action_clear(self) -> None:
        self.query_one(FinderField).value = ""

    def action_new_words(self, _kind: str) -> None:
        """Select the text in the field, so that the next character replaces it."""
        field = self.query_one(FinderField)
        field.focus()
        field.select_all()

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.submit()

    def submit(self) -> None:
        """React to Enter."""
        self.open_selected()

    def open_selected(self) -> None:
        """Open the selected match."""
        cursor = self.query_one(Menu).cursor
        if 0 <= cursor < len(self._openers):
            self._openers[cursor]()

    @on(Menu.Chosen)
    def _open_clicked(self) -> None:
        self.open_selected()

    def on_key(self, event: Key) -> None:
        """Insert typed characters into the field even if it does not have the focus yet."""
        field = self.query_one(FinderField)
        if event.is_printable and field.check_consume_key(event.key, event.character):
            event.stop()
            field.insert_text_at_cursor(event.character or "")


_LONGEST_NAME = 28


class GlossaryScreen(FinderScreen):
    """The glossary. It shows the terms whose name or meaning contains the learner's text."""

    OPENED_BY = "glossary"
    PLACEHOLDER = _("type to filter")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-panels")]  # noqa: RUF012 (Textual's own type)
    IS_FILTER = True

    def on_mount(self) -> None:
        self.place = _("glossary")
        self.query_one("#list").border_title = Content(_("Terms"))

    def look_up(self, words: str) -> None:
        # This import loads a Markdown parser, which other searches do not need.
        from tutor.app.widgets.inline import plain

        terms = list(self.services.course.glossary.values())
        shown = matching(terms, words)
        widest = min(_LONGEST_NAME, max((len(term.term) for term in terms), default=0))
        all_terms = counted(len(terms), "term")
        self.aside = (
            _("{count} of {all_terms}").format(count=len(shown), all_terms=all_terms)
            if words
            else all_terms
        )
        open_target = self.navigation.open_target
        self.found(
            [
                (
                    partial(_term_row, safe(term.term), plain(term.text), widest),
                    partial(open_target, TermTarget(term.id)),
                )
                for term in shown
            ],
            about=[(safe(term.term), Content(safe(plain(term.text)))) for term in shown],
        )
        if not shown:
            self.tell(
                _("No term contains “{words}”.").format(words=words)
                if terms
                else _("This course has no glossary.")
            )


def matching(terms: list[Term], words: str) -> list[Term]:
    """Return the terms that contain `words`, best matches first.

    Names that begin with `words` come first, then other names that contain them, and then meanings
    that contain them. Terms that match equally well keep their order.
    """
    wanted = comparable(words)
    if not wanted:
        return terms
    begin = [each for each in terms if comparable(each.term).startswith(wanted)]
    within = [each for each in terms if wanted in comparable(each.term)]
    said = [each for each in terms if wanted in comparable(each.text)]
    return list({each.id: each for each in (*begin, *within, *said)}.values())


def _term_row(name: str, meaning: str, widest: int, width: int) -> Content:
    name = figures.fit(name, min(widest, max(12, width // 2)))
    row = Content.assemble((name, "bold"), "  ", (meaning, MUTED))
    return row.truncate(width, ellipsis=True)


SHOWN = 30


class SearchScreen(FinderScreen):
    """A search of the whole course. It runs in a thread, so that it never delays typing.

    Keys that choose or open a match during the search take effect when its matches are shown.
    """

    PLACEHOLDER = _("type to search")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-panels")]  # noqa: RUF012 (Textual's own type)

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._searched = ""
        """The text whose matches are shown."""
        self._waiting: list[Callable[[], None]] = []
        """The effects of the keys that were pressed during the search."""
        self._chosen = False
        """True if one of them chooses a match. Later keys are then ignored."""

    def on_mount(self) -> None:
        self.place = _("search")
        self.query_one("#list").border_title = Content(_("Found"))

    def look_up(self, words: str) -> None:
        self._waiting.clear()
        self._chosen = False
        self._search(words)

    def move_selection(self, by: int) -> None:
        self._when_found(partial(super().move_selection, by))

    def submit(self) -> None:
        self._when_found(super().submit)
        self._chosen = bool(self._waiting)

    def _when_found(self, effect: Callable[[], None]) -> None:
        if not self._chosen:
            self._waiting.append(effect)
        if self._searched == self.words:
            self._take_effect()

    def _take_effect(self) -> None:
        waiting, self._waiting, self._chosen = self._waiting, [], False
        for effect in waiting if self.is_current else ():
            effect()

    @work(exclusive=True)
    async def _search(self, words: str) -> None:
        if words and not self.aside:  # the first search reads all lessons, which takes a moment
            self.aside = _("searching…")
        try:
            hits, about = await asyncio.to_thread(self._hits, words)
        except TutorError as error:
            self.aside = ""
            self.tell(error)
            return
        if words != self.words:  # the text has changed during the search
            return
        self.aside = _("{count} found").format(count=len(hits)) if words else ""
        open_target = self.navigation.open_target
        self.found(
            [
                (partial(_hit_row, hit, self._where(hit)), partial(open_target, hit.target))
                for hit in hits
            ],
            about=about,
        )
        if words and not hits:
            self.tell(_("No lesson, term or question contains these words."))
        self._searched = words
        self._take_effect()

    def _hits(self, words: str) -> tuple[Sequence[Hit], Sequence[tuple[str, Content]]]:
        """Return the matches, with the title and the whole text of each."""
        from tutor.course.search import search

        hits = search(self.services.course, words, SHOWN)
        return hits, [(safe(hit.title), Content(self._text(hit.target))) for hit in hits]

    def _text(self, target: TermTarget | ScreenTarget) -> str:
        from tutor.app.widgets.inline import plain

        course = self.services.course
        if isinstance(target, TermTarget):
            return safe(plain(course.glossary[target.id].text))
        lesson = course.lesson(target.lesson_id)
        screen = lesson.screen(target.screen_id or "") if lesson else None
        return safe(plain(screen.body, "\n\n")) if screen else ""

    def _where(self, hit: Hit) -> str:
        if not isinstance(hit.target, ScreenTarget):
            return _("glossary")
        outline = self.services.course.outline(hit.target.lesson_id)
        number = _("lesson {number}").format(number=outline.number) if outline else ""
        return _("question, {number}").format(number=number) if hit.kind == "question" else number


def _hit_row(hit: Hit, where: str, width: int) -> Content:
    head = Content.assemble((safe(hit.title), "bold"), (f"  {where}", MUTED))
    said = hanging(Content("  "), Content.styled(safe(hit.excerpt), MUTED), width)
    return Content("\n").join([head.truncate(width, ellipsis=True), *said.split("\n")[:2]])
