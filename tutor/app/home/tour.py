"""The tour: four screens that show a new learner how tutor works."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.style import Style

from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.course_screen import CourseScreen
from tutor.app.explorer.distribution_table import rows_block
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.layout import hanging
from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.language import _
from tutor.lm.distribution import PLAIN
from tutor.study.newcomer import TOUR_SEEN
from tutor.text import safe, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from textual.events import Click

    from tutor.app.services import Navigation, Services
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.distribution import Distribution, ModelCard, Token

PROMPT = "The capital of France is"
ROWS = 5
_WIDEST = 76
_KEY = 9
_ROW = "row"
"""The metadata key under which the style of a row stores the row's number."""


class TourScreen(TextScreen, CourseScreen):
    """The tour. It counts as seen when the learner leaves it, whichever screen is shown.

    The second screen shows a real distribution, from which the learner takes tokens. The learner
    never has to wait for the model.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "next", tooltip="Go to the next screen of the tour."),
        Binding("right", "next", show=False),
        Binding("left", "previous", "previous", tooltip="Go to the previous screen of the tour."),
        Binding(
            "1",
            "take(1)",
            "take a token",
            key_display=f"1-{ROWS}",
            tooltip="Add the token in this row to the text.",
        ),
        *(Binding(str(row), f"take({row})", show=False) for row in range(2, ROWS + 1)),
        Binding("escape", "back", "skip", tooltip="Close the tour. Press i to see it again."),
        *scroll_keys(),
    ]

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._index = 0
        self._session: AsyncModelSession | None = None
        self._text = PROMPT
        self._distribution: Distribution | None = None
        self._model: ModelCard | None = None  # the model for which the session was opened
        self._computed_by = ""  # the name of the model that has computed the distribution
        self._by_small = False  # whether the small bundled model has computed the distribution
        self._replaced = False  # whether the learner has seen the numbers of both models change
        self._problem = ""
        self._forget_engine: Callable[[], None] = lambda: None

    def on_mount(self) -> None:
        self._forget_engine = self.services.engine.watch(self._engine_changed)
        self._ask()
        self._head()

    async def on_unmount(self) -> None:
        self._forget_engine()
        if self._session is not None:
            await self._session.close()

    # --- moving ---------------------------------------------------------------------------------

    def _head(self) -> None:
        self.place = _("tour · {index} of {count}").format(index=self._index + 1, count=len(_PAGES))
        self._replaced = False
        self.query_one(self.SCROLLED).scroll_home(animate=False)
        self.draw()

    def action_next(self) -> None:
        """Page down if there is more text below. Otherwise, go to the next screen."""
        scrolled = self.query_one(self.SCROLLED)
        if scrolled.scroll_offset.y < scrolled.max_scroll_y:
            scrolled.scroll_relative(y=max(1, scrolled.size.height - 1), animate=False)
        elif self._index + 1 < len(_PAGES):
            self._index += 1
            self._head()
        else:
            self.action_back()

    def action_previous(self) -> None:
        self._index -= 1
        self._head()

    def action_back(self) -> None:
        if not self.services.progress.setting(TOUR_SEEN):
            self.services.progress.save_setting(TOUR_SEEN, True)
        super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "previous":
                return self._index > 0
            case "take":
                return self._live and self._distribution is not None
            case "scroll":
                return self.can_scroll
        return super().check_action(action, parameters)

    # --- the model ------------------------------------------------------------------------------

    @property
    def _live(self) -> bool:
        return _PAGES[self._index] is _stepper

    def _engine_changed(self, engine: Engine) -> None:
        if self.is_attached:
            self.draw()
            self._ask()

    @work(exclusive=True)
    async def _ask(self) -> None:
        """Request the next-token distribution for the text, if a local model is ready.

        The model can change during the tour, because the bundled model is used until the default
        model has been downloaded. The previous distribution stays on the screen until the new one
        arrives.
        """
        engine, model = self.services.engine, self.services.engine.model
        if self.services.remote is not None or engine.state is not EngineState.READY or not model:
            self.draw()
            return
        self._problem = ""
        try:
            session = await self._session_for(model)
            length = len(session.tokens)
            distribution = await session.distribution(length, PLAIN, 0, ROWS)
            small = self.services.model.status.small
            seen = self._live and self._distribution is not None
            self._replaced |= seen and self._by_small and not small
            self._distribution, self._by_small = distribution, small
            self._computed_by = safe(model.base_name)
        # The tour also works without a model, and asks again when the engine changes.
        except TutorError as error:
            self._session, self._problem = None, f"{error.happened} {error.next_step}".strip()
        if self.is_attached:
            self.draw()

    def _source(self) -> str:
        """Return a sentence that names the model, and explains why the numbers have changed."""
        if self._by_small:
            return _("computed just now by the small bundled model (the full one is not ready)")
        said = _("computed just now by {computed_by}")
        if self._replaced:
            said = _(
                "computed just now by {computed_by} (the numbers before were from a small model)"
            )
        return said.format(computed_by=self._computed_by)

    async def _session_for(self, model: ModelCard) -> AsyncModelSession:
        """Return the session for the text. If the model has changed, open a new one."""
        before = self._session
        if before is not None and self._model is not None and self._model.sha256 == model.sha256:
            return before
        self._session = None
        if before is not None:
            await before.close()
        self._session = await self.services.engine.open_text(self._text)
        self._model = model
        return self._session

    def on_click(self, event: Click) -> None:
        """Take the token in the row that the learner clicks."""
        if (row := event.style.meta.get(_ROW)) and self.check_action("take", ()):
            self.action_take(row)

    def action_take(self, row: int) -> None:
        """Add the token in this row to the text, and request the next distribution."""
        distribution = self._distribution
        if distribution is None or row > len(distribution.rows):
            return
        token = distribution.rows[row - 1].token
        # If there is no session yet, the next session is opened with the longer text.
        if self._session is not None:
            self._session.append((token,))
        self._text += token.data.decode(errors="replace")
        self._distribution, self._replaced = None, False
        self._ask()

    # --- the text -------------------------------------------------------------------------------

    def text(self, width: int) -> list[Content]:
        width = min(width, _WIDEST)
        parts = _PAGES[self._index](self, width)
        return [line for part in parts for line in (Content(""), *part)][1:]

    def live_rows(self, width: int) -> list[Content]:
        """Draw the text, with the distribution below it or a note if there is no distribution."""
        text = Content.assemble((safe(self._text), "bold"), ("▏", ACT))
        shown = [hanging(Content(""), text, width), Content("")]
        if self._distribution is not None:
            rows = self._distribution.rows[:ROWS]
            # Token ids and logits are left out, because a new learner does not need them yet.
            table = rows_block(rows, min(width, 64), None, sampled=False, partial=True)
            table[1:] = [
                line.stylize(Style.from_meta({_ROW: number}))
                for number, line in enumerate(table[1:], start=1)
            ]
            said = Content.styled(self._source(), MUTED)
            below = [hanging(Content(""), said, width)]
            if signs := " ".join(_signs(row.token for row in rows)):
                below.insert(0, hanging(Content(""), Content.styled(signs, MUTED), width))
            return [*shown, *table, *below]
        state = self.services.engine.state
        if self._session is not None and state is EngineState.READY:
            return shown + [Content("")] * (2 + ROWS)
        if self.services.remote is not None:
            note = _("You are using a remote model. The stepper shows its probabilities.")
        elif state is EngineState.STOPPED:
            note = _("No model is running. The stepper shows this live as soon as one is.")
        elif state is EngineState.READY and self._problem:
            note = safe(self._problem)
        else:
            note = _("The model is loading. Its probabilities appear here when it is ready.")
        return [*shown, hanging(Content(""), Content.styled(note, MUTED), width)]


def _signs(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield a sentence that explains ⏎ and one about a special token, if `tokens` contains them."""
    texts = {visible(token.data): token.special for token in tokens}
    if any("⏎" in text for text in texts):
        yield _("⏎ is a line break.")
    for text in [text for text, special in texts.items() if special][:1]:
        yield _("{token} marks where a message begins or ends.").format(token=text)


Part = list[Content]


def _paragraph(text: str, width: int) -> Part:
    return [hanging(Content(""), Content(text), width)]


def _heading(text: str) -> Part:
    return [Content.styled(text, "bold")]


def _keys(keys: dict[str, str], width: int) -> Part:
    column = max(_KEY, *(len(key) + 1 for key in keys))
    return [
        hanging(Content.styled(f"{key:<{column}}", f"bold {ACT}"), Content(said), width)
        for key, said in keys.items()
    ]


def _welcome(tour: TourScreen, width: int) -> list[Part]:
    return [
        _heading(_("Welcome to tutor")),
        _paragraph(
            _(
                "You are going to take a real language model apart: read what it does, step "
                "through "
                "its predictions, look inside the network, change it, and train a small one."
            ),
            width,
        ),
        _paragraph(
            _(
                "Every number on screen is computed by a model that runs on this machine, or comes "
                "with its source and date. You need no account, and what you do is saved here."
            ),
            width,
        ),
        _paragraph(_("This tour has four screens and takes about a minute."), width),
        _keys({"Enter": _("goes to the next screen."), "Esc": _("skips the tour.")}, width),
    ]


def _stepper(tour: TourScreen, width: int) -> list[Part]:
    return [
        _heading(_("The one thing that a language model does")),
        _paragraph(
            _(
                "It gives every token a probability of coming next. (A token is a word or a part "
                "of a word, and ␣ is the space before it.) Take a token, and it does the same "
                "again for the longer text. That is how it writes."
            ),
            width,
        ),
        tour.live_rows(width),
        _keys(
            {
                _("1 to {rows}").format(rows=ROWS): _("takes the token in that row."),
                "Enter": _("continues the tour. On the course map, s steps through any text."),
            },
            width,
        ),
    ]


def _belongs_together(tour: TourScreen, width: int) -> list[Part]:
    return [
        _heading(_("How you learn here")),
        _keys(
            {
                _("Lessons"): _(
                    "explain one idea per screen, and end with questions. A lesson is done when "
                    "you have read it and answered each question right once."
                ),
                _("Labs"): _(
                    "let you try an idea on the live model, with goals to reach. They open "
                    "from a lesson, or from the list of labs (l)."
                ),
                _("Review"): _(
                    "asks the questions again when you are about to forget the answers: a "
                    "few minutes a day."
                ),
            },
            width,
        ),
        _paragraph(
            _(
                "After this tour, you see the course map. Its first two rows suggest what to do "
                "next, in lessons and in reviews. Press Enter to open the selected row. "
                "You can leave at any time. Your answers, your place in each lesson and your "
                "goals are kept."
            ),
            width,
        ),
    ]


def _help(tour: TourScreen, width: int) -> list[Part]:
    return [
        _heading(_("Where help is")),
        _keys(
            {
                "?": _("explains every key of the screen that you are on."),
                "/": _("searches the course."),
                "v": _("opens the glossary."),
                "Esc": _("goes back, and never discards anything."),
            },
            width,
        ),
        _paragraph(_("The last line of every screen shows the keys that matter there."), width),
        _paragraph(_("To see this tour again, press i on the course map."), width),
        _keys(
            {
                "Enter": _(
                    "opens the course map. Press Enter there to continue with what comes next."
                )
            },
            width,
        ),
    ]


_PAGES: tuple[Callable[[TourScreen, int], list[Part]], ...] = (
    _welcome,
    _stepper,
    _belongs_together,
    _help,
)
