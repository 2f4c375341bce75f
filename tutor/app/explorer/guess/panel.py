"""The screen of the guessing game."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from tutor.app import theme
from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.guess.game import CONFIDENCES, RULE, TEXTS, Game, Round, SavedGame
from tutor.app.explorer.guess.lines import bet, outcome, totals
from tutor.app.explorer.guess.meaning import guessed_token, typed_words
from tutor.app.explorer.text_view import TextView
from tutor.app.saving import on_disk
from tutor.app.widgets.entry import Entry
from tutor.app.widgets.figures import SIGNS
from tutor.app.widgets.inline import plain
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.static import Static
from tutor.engine.api import EngineState
from tutor.errors import RequestCancelled, StoreError, TutorError
from tutor.labs.kit.keys import UP_DOWN, pair
from tutor.language import _
from tutor.learner.records import Guessed
from tutor.lm.distribution import PLAIN
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.widgets import Input

    from tutor.course.lesson import Lab
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.learner.background import BackgroundProgress
    from tutor.lm.distribution import Row

ROWS = 5
"""The number of rows of the model's distribution to show after each guess."""


class GuessEntry(Entry):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "submit",
            "guess",
            tooltip="Submit this guess. To guess a question mark, type a space before it.",
        ),
        *pair(UP_DOWN, "arrow(*)", "bet", "Raise or lower your bet."),
    ]


class GuessScreen(TutorScreen):
    """A game in which the learner guesses a text token by token.

    The text comes from a lab or is one of three built-in texts. `lesson` is the number of the
    lesson with the lab. `on_over` is called when the learner has guessed the whole text. If it
    returns a message, the message is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on('next')", "next token", tooltip="Continue with the next token."),
        Binding("enter", "go_on('end')", "finish", tooltip="Close the result of the last token."),
        Binding("enter", "start_over", "start over", tooltip="Guess the same text again."),
        Binding(
            "tab", "another", "another text", tooltip="Play another text. This game is discarded."
        ),
    ]
    explained = (SIGNS,)
    DEFAULT_CSS = """
    GuessScreen {
        #text { margin-bottom: 1; }
        #rule { color: $muted; height: auto; margin-bottom: 1; }
        #totals { margin-top: 1; }
        #result, #totals { height: auto; }
        #space { height: 1fr; }
        &.-low #text { margin-bottom: 0; }
        &.-low #totals { margin-top: 0; }
    }
    """

    def __init__(
        self,
        engine: Engine,
        progress: BackgroundProgress,
        lab: Lab | None = None,
        *,
        lesson: int = 0,
        on_over: Callable[[], Awaitable[str | None]] | None = None,
    ) -> None:
        super().__init__()
        self._engine = engine
        self._progress = progress
        self._lab = lab
        self._lesson = lesson
        self._on_over = on_over
        self._setting = f"guess.{lab.id if lab else 'free'}"
        self._saved = _recall(progress.setting(self._setting))
        text = self._saved.text if self._saved else TEXTS[0]
        self._text = (lab and lab.prompt) or text
        self._session: AsyncModelSession | None = None
        self._surprisals: tuple[float | None, ...] = ()
        self._game: Game | None = None
        self._guess: Row | None = None
        self._confidence = CONFIDENCES.index(0.5)
        self._busy = False
        self._asked_to_discard = False
        self._forget_engine: Callable[[], None] = lambda: None

    def compose_content(self) -> ComposeResult:
        with Vertical(classes="card"):
            yield Static(id="rule")
            yield TextView(id="text")
            yield GuessEntry(_("your guess: a word or part of a word"))
            yield Lines(id="result")
            yield Lines(id="space")
            yield Lines(id="totals")

    def on_mount(self) -> None:
        self.place = self._place
        task = self._lab.task if self._lab else _("Guess how the text continues.")
        self.query_one("#rule", Static).update(Content(f"{plain(task)} {RULE}"))
        self._forget_engine = self._engine.watch(lambda __: self._engine_changed())
        self.query_one(GuessEntry).focus()
        self._engine_changed()

    def stop_receiving(self) -> None:
        self._forget_engine()

    async def on_unmount(self) -> None:
        if self._session is not None:
            await self._session.close()

    def on_resize(self) -> None:
        self._show()

    def _engine_changed(self) -> None:
        match self._engine.state:
            case EngineState.READY:
                self.tell(None)
                if self._other_model and (self._game is None or self._game.round is None):
                    self._begin()
            case EngineState.STOPPED:
                self.tell(self._engine.failure or _("The engine is not running."))
            case _:
                self.tell(_("The model is not ready yet. The game starts as soon as it is."))
        self._show()

    @property
    def _other_model(self) -> bool:
        """True if the text of this game was tokenized by a different model from the current one.

        The game then restarts, but not while the result of a round is on the screen.
        """
        model = self._engine.model
        return self._game is None or (model is not None and model.sha256 != self._game.model)

    @property
    def _place(self) -> str:
        """Return the name of the game. It says whether the text belongs to a lesson.

        The game on the course map has other texts than the lessons, some of which begin similarly.
        """
        if self._lab is not None:
            return _("guessing game · lesson {number}").format(number=self._lesson)
        number = TEXTS.index(self._text) + 1 if self._text in TEXTS else 1
        return _("guessing game · text {number} of {count}").format(number=number, count=len(TEXTS))

    @property
    def _at_end(self) -> bool:
        """True if the whole text has been guessed and the last result has been closed."""
        return self._game is not None and self._game.over and self._game.round is None

    @work(exclusive=True, group="game")
    async def _begin(self) -> None:
        """Tokenize the text, and show it up to the token that the learner has to guess next."""
        self.tell(_("The model is processing the text. The game starts as soon as it is done."))
        try:
            before, self._session = self._session, await self._engine.open_text(self._text)
            if before is not None:
                await before.close()
            self._surprisals = await self._session.surprisals(0)
        except RequestCancelled:
            return
        except TutorError as error:
            self.tell(error)
            return
        model = self._engine.model.sha256 if self._engine.model else ""
        self._game = Game(self._text, self._session.tokens, self._saved, model=model)
        changed = _("The model has changed. Its tokens differ, so your score restarts.")
        self.tell(changed if self._game.restarted(self._saved) else None)
        self._guess = None
        self._show()
        self._match(self.query_one(GuessEntry).value)

    @work(exclusive=True, group="find")
    async def _match(self, typed: str) -> None:
        """Find the token that was typed, and show it without its probability."""
        self._guess = None
        if typed_words(typed) and self._session is not None and self._game is not None:
            try:
                at = self._game.shown
                self._guess = await guessed_token(self._session, self._engine, at, typed)
            except RequestCancelled:
                return
            except TutorError as error:
                self.tell(error)
                return
        self._show()

    @work(exclusive=True, group="game")
    async def _settle(self, typed: str) -> None:
        """Play a round with the typed guess. The result is saved before it is shown."""
        session, game = self._session, self._game
        if session is None or game is None or game.over or game.round is not None:
            return
        self._busy = True
        try:
            guess = await guessed_token(session, self._engine, game.shown, typed)
            distribution = await session.distribution(game.shown, PLAIN, seed=0, top=ROWS)
            (actual,) = await session.rows(game.shown, PLAIN, (game.tokens[game.shown].id,))
            played = game.play(distribution, guess, actual, CONFIDENCES[self._confidence])
            over = self._on_over() if self._on_over and game.over else None
            self.tell(None)
            await self._save(game, played)
        except RequestCancelled:
            return
        except TutorError as error:
            self.tell(error)
            return
        finally:
            self._busy = False
        self.query_one(GuessEntry).display = False
        self.set_focus(None)
        self._show()
        if over is not None and (said := await over) is not None:
            self.tell(plain(said))

    async def _save(self, game: Game, played: Round) -> None:
        event = Guessed(
            at=time.time(),
            text=game.before,
            guess=played.guess.token.text,
            actual=played.actual.token.text,
            rank=played.guess.rank,
            learner_bits=played.learner_bits,
            model_bits=played.model_bits,
        )
        saving = self._progress.record(event)
        self._saved = game.saved()
        try:
            saved = msgspec.json.encode(self._saved).decode()
            self._progress.save_setting(self._setting, saved)
        except StoreError as error:
            self.tell(error)
        await on_disk(saving)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        playing = self._game is not None and self._game.round is None and not self._game.over
        ended = not playing and not self._busy and self._game is not None
        if action == "go_on":
            last = self._game is not None and self._game.over
            return ended and not self._at_end and last == ("end" in parameters)
        if action == "start_over":
            return ended and self._at_end
        if action == "another":
            return self._lab is None
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        self._match(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not typed_words(event.value):
            self.tell(_("Type a guess first. Any word will do."))
        elif not self._busy and not self._other_model:
            self._settle(event.value)  # this would cancel a running `_begin`

    def action_go_on(self, _what: str) -> None:
        if self._game is not None:
            self._game.go_on()
            self._ask_for_guess()

    def action_start_over(self) -> None:
        self._start_over(self._text)

    def _ask_for_guess(self) -> None:
        entry = self.query_one(GuessEntry)
        entry.value = ""
        if self._game is None or not self._game.over:
            entry.display = True
            entry.focus()
        self._guess = None
        self._asked_to_discard = False
        self.tell(None)
        self._show()
        if self._other_model and self._engine.state is EngineState.READY:
            self._begin()

    def _start_over(self, text: str) -> None:
        self._text, self._saved, self._game = text, None, None
        self.place = self._place
        self._ask_for_guess()

    def on_entry_arrow(self, event: Entry.Arrow) -> None:
        self._confidence = min(max(self._confidence - event.by, 0), len(CONFIDENCES) - 1)
        self._show()

    def action_another(self) -> None:
        """Switch to another text.

        If that discards a game with a score, the learner must confirm.
        """
        game = self._game
        if game is not None and game.started and not self._asked_to_discard:
            self._asked_to_discard = True
            self.tell(_("This would discard the current game. Press Tab again to discard it."))
            return
        at = TEXTS.index(self._text) if self._text in TEXTS else -1
        self._start_over(TEXTS[(at + 1) % len(TEXTS)])

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self.refresh_bindings()
        game = self._game
        view = self.query_one(TextView)
        result, sums = self.query_one("#result", Lines), self.query_one("#totals", Lines)
        if game is None:
            for lines in (view, result, sums):
                lines.show([])
            return
        short = self.size.height < 18
        seen = zip(game.tokens[: game.shown], self._surprisals[: game.shown], strict=True)
        steps = [Step(token, "prompt", bits) for token, bits in seen]
        focus = game.shown - 1 if game.round is not None else game.shown
        rows = 1 if short else max(2, self.size.height // 8)
        view.update(steps, focus, marks=True, rows=rows, barred=not short)
        self.query_one(GuessEntry).display = game.round is None and not game.over
        self.query_one("#rule").display = not short and game.round is None
        self.query_one("#space").display = not short or game.round is None
        width = result.size.width or self.size.width - 2
        if game.round is not None:
            result.show(outcome(game.round, width, self.size.height))
        elif game.over:
            end = _("That was the whole text. Press Esc to go back, or Enter to start over.")
            result.show([Content.styled(end, theme.ACT)])
        else:
            result.show([bet(CONFIDENCES[self._confidence], self._guess)])
        sums.show(totals(game, None if short else self._progress.guesses, width))


def _recall(setting: object) -> SavedGame | None:
    if not isinstance(setting, str):
        return None
    try:
        return msgspec.json.decode(setting, type=SavedGame)
    except msgspec.MsgspecError:
        return None
