"""The guessing game in plain mode: the learner and the model bet on the next token of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tutor.app.explorer.guess.game import RULE, TEXTS, Game, SavedGame
from tutor.app.explorer.guess.meaning import guessed_token
from tutor.app.saving import on_disk
from tutor.engine.api import EngineState
from tutor.language import _
from tutor.learner.records import Guessed
from tutor.lm.distribution import PLAIN
from tutor.plain import markdown, words
from tutor.plain.place import Command, Place
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.guess.game import Round
    from tutor.course.lesson import Lab, Lesson
    from tutor.engine.api import AsyncModelSession
    from tutor.plain.place import Services

_SHOWN = 3
_USUAL_BET = 0.5


class GuessPlace(Place):
    """A guessing game, which is saved after each guess."""

    title = _("Guessing game.")

    def __init__(
        self, services: Services, lesson: Lesson | None = None, lab: Lab | None = None
    ) -> None:
        super().__init__(services)
        self._lesson, self._lab = lesson, lab
        self._setting = f"guess.{lab.id if lab else 'free'}"
        self._session: AsyncModelSession | None = None
        self._game: Game | None = None
        self._bet = _USUAL_BET

    async def begin(self) -> None:
        self.say(self.title)
        self.say(
            markdown.inline(self._lab.task) if self._lab else _("Guess how the text continues.")
        )
        self.say(RULE)
        if self.services.remote is not None:
            self.say(_("The game needs the probability of every token. Use a local model."))
            return
        saved = _recall(self.services.progress.setting(self._setting))
        text = saved.text if saved else TEXTS[0]
        await self._play((self._lab and self._lab.prompt) or text, saved)

    async def _play(self, text: str, saved: SavedGame | None) -> None:
        engine = self.services.engine
        if engine.state is not EngineState.READY:
            self.say(_("The model is loading."))
        card = await engine.ready()
        await self.close()
        self._session = await engine.open_text(text)
        self._game = Game(text, self._session.tokens, saved, model=card.sha256)
        self._say_text()

    def _say_text(self) -> None:
        game = self._game
        if game is None:
            return
        if game.over:
            self.say(_("That was the whole text. Type restart to play it again."))
        else:
            self.say(_('The text so far: "{before}"').format(before=words.spoken(game.before)))

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    @property
    def takes_text(self) -> bool:  # type: ignore[override]
        return self._game is not None and not self._game.over

    def asks(self) -> str:
        return _("Type the next word or part of a word.") if self.takes_text else ""

    async def typed(self, text: str) -> None:
        session, game = self._session, self._game
        if session is None or game is None or game.over:
            return
        guess = await guessed_token(session, self.services.engine, game.shown, text)
        found = await session.distribution(game.shown, PLAIN, seed=0, top=_SHOWN)
        (actual,) = await session.rows(game.shown, PLAIN, (game.tokens[game.shown].id,))
        played = game.play(found, guess, actual, self._bet)
        await self._save(game, played)
        self._say_round(game, played)
        game.go_on()
        self._say_text()
        if game.over and self._lesson is not None and self._lab is not None:
            said = await self.services.goals.over(self._lesson, self._lab)
            self.say(markdown.inline(said or ""))

    async def _save(self, game: Game, played: Round) -> None:
        progress = self.services.progress
        event = Guessed(
            at=progress.clock(),
            text=game.before,
            guess=played.guess.token.text,
            actual=played.actual.token.text,
            rank=played.guess.rank,
            learner_bits=played.learner_bits,
            model_bits=played.model_bits,
        )
        saving = progress.record(event)
        progress.save_setting(self._setting, msgspec.json.encode(game.saved()).decode())
        await on_disk(saving)

    def _say_round(self, game: Game, played: Round) -> None:
        actual = words.token(played.actual.token)
        self.say(
            _("Right, it is {actual}.").format(actual=actual)
            if played.right
            else _("It is {actual}.").format(actual=actual)
        )
        self.say(_("Your guess: {rank}").format(rank=words.rank(played.guess)))
        self.say(
            _("Your surprisal: {learner_bits:.2f} bits. The model's: {model_bits:.2f}.").format(
                learner_bits=played.learner_bits, model_bits=played.model_bits
            )
        )
        score = game.score
        self.say(
            _(
                "After {rounds}: you {learner_bits:.1f} bits, the model {model_bits:.1f}. "
                "Fewer bits are better."
            ).format(
                rounds=counted(score.rounds, "round"),
                learner_bits=score.learner_bits,
                model_bits=score.model_bits,
            )
        )

    def commands(self) -> Sequence[Command]:
        found = [
            Command("guess", "Guess a token.", self._guess, "TEXT"),
            Command("bet", "Bet from 10 to 90 percent on your guess.", self._set_bet, "NUMBER"),
            Command("restart", "Play this text again.", self._restart),
        ]
        if self._lab is None:
            found.append(Command("another", "Play another text.", self._another))
        return found

    async def _guess(self, rest: str) -> None:
        await self.typed(rest)

    async def _set_bet(self, rest: str) -> None:
        if rest.isdecimal() and 10 <= int(rest) <= 90:
            self._bet = int(rest) / 100
            self.say(_("From now on, you bet {rest} percent.").format(rest=rest))
        else:
            self.say(_("Type bet and a number from 10 to 90."))

    async def _restart(self, rest: str) -> None:
        if self._game is not None:
            await self._play(self._game.text, None)

    async def _another(self, rest: str) -> None:
        text = self._game.text if self._game is not None else ""
        at = TEXTS.index(text) if text in TEXTS else -1
        await self._play(TEXTS[(at + 1) % len(TEXTS)], None)


def _recall(setting: object) -> SavedGame | None:
    if not isinstance(setting, str):
        return None
    try:
        return msgspec.json.decode(setting, type=SavedGame)
    except msgspec.MsgspecError:
        return None
