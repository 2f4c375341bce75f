"""Run a lab's solution, with the stepper and the goals of the app.

This needs neither a screen nor an engine process, because the model is called directly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tutor.app.explorer import events
from tutor.app.explorer.document import Document
from tutor.app.explorer.effects import Answer, EngineInfo, Question, Start
from tutor.app.explorer.guess.game import Game
from tutor.app.explorer.state import State
from tutor.app.explorer.update import update
from tutor.course.goals import Evidence, goals_reached
from tutor.course.lesson import Action, Lab, LiveGoal
from tutor.engine.api import EngineState
from tutor.errors import LessonError, TutorError
from tutor.lm.distribution import PLAIN, ChatMessage, Token
from tutor.text import visible

if TYPE_CHECKING:
    from tutor.app.explorer.events import Event
    from tutor.lm.language_model import LanguageModel
    from tutor.lm.session import Session


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of running a lab's solution.

    `at_start` contains the indexes of the goals that are reached before the first step, and
    `reached` the indexes of the goals that are reached at the end. If the solution fails, `trouble`
    is the reason and `step` is the number of the failed step, counted from 1. `over` is True if a
    guessing game ended.
    """

    at_start: tuple[int, ...] = ()
    reached: tuple[int, ...] = ()
    trouble: str = ""
    step: int = 0
    over: bool = False


class Solved(msgspec.Struct, frozen=True):
    """The outcome of running a lab of `tutor.labs`: the names of all goals that were reached."""

    at_start: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    trouble: str = ""

    def outcome(self, lab: Lab) -> Outcome:
        """Return the outcome for `lab`, the part of a lesson that embeds the solved lab."""
        names = [goal.name if isinstance(goal, LiveGoal) else "" for goal in lab.goals]
        return Outcome(
            tuple(place for place, name in enumerate(names) if name in self.at_start),
            tuple(place for place, name in enumerate(names) if name in self.reached),
            self.trouble,
        )


def attempt(lab: Lab, model: LanguageModel) -> Outcome:
    """Run the solution of a lab, and return the outcome. The outcome includes any error."""
    try:
        return _game(lab, model) if lab.kind == "guess" else _Attempt(lab, model).outcome()
    except TutorError as error:
        return Outcome(trouble=error.happened)


def solved(name: str, model: LanguageModel) -> Solved:
    """Run the built-in solution of a lab of `tutor.labs`, and delete the files that it creates."""
    from tempfile import TemporaryDirectory

    from tutor.labs.kit import registry
    from tutor.labs.kit.backend import Tools, make_backend
    from tutor.labs.kit.lab import solve

    try:
        with TemporaryDirectory() as folder:
            backend = make_backend(name, Tools(lambda: model, lambda: None, Path(folder)))
            at_start, reached = solve(registry.find(name), backend.answer)
    except TutorError as error:
        return Solved(trouble=error.happened)
    return Solved(tuple(sorted(at_start)), tuple(sorted(reached)))


def token_id(model: LanguageModel, written: str) -> int:
    """Return the id of a token as written in a lesson: "␣Paris", " Paris", "⏎" or "<|im_end|>".

    Raises `LessonError` if the text is not exactly one token.
    """
    if written in model.tokenizer.special_ids:
        return model.tokenizer.special_ids[written]
    text = written.replace("␣", " ").replace("⏎", "\n").replace("⇥", "\t")
    ids = model.tokenizer.encode(text)
    if len(ids) != 1:
        found = " · ".join(visible(model.tokenizer.token(id_).data) for id_ in ids)
        raise LessonError(f"{written!r} is {len(ids)} tokens instead of one: {found}.")
    return ids[0]


def opened(model: LanguageModel, text: str) -> Session:
    """Return a session at the end of `text`."""
    from tutor.lm.chat import text_ids
    from tutor.lm.session import Session

    return Session(model, text_ids(model, text))


def _game(lab: Lab, model: LanguageModel) -> Outcome:
    """Play the guessing game, and guess every token correctly.

    This checks that the game has tokens to guess, and that it ends.
    """
    session = opened(model, lab.prompt)
    game = Game(lab.prompt, session.tokens, None, model=model.card.sha256)
    if game.over:
        return Outcome(trouble="The text is too short, so there are no tokens to guess.")
    while not game.over:
        found = session.distribution(game.shown, PLAIN, seed=0, top=1)
        (actual,) = session.rows(game.shown, PLAIN, [game.tokens[game.shown].id])
        game.play(found, actual, actual, confidence=0.5)
        game.go_on()
    return Outcome(over=True)


class _Attempt:
    """The explorer without a screen. The model responds to each request immediately."""

    def __init__(self, lab: Lab, model: LanguageModel) -> None:
        self._lab = lab
        self._model = model
        self._session: Session | None = None
        self._reached: frozenset[int] = frozenset()
        self._asked: Question | Start | None = None
        chat, prompt = lab.kind == "chat", lab.prompt if lab.prompt.strip() else ""
        sampler = lab.sampler.settings
        self._state = State(
            document=Document(prompt=prompt, mode="chat" if chat else "text", sampler=sampler),
            given=None if chat else lab.prompt,
        )

    def outcome(self) -> Outcome:
        """Run the solution, and return the outcome.

        `at_start` contains the goals that are reached before the first step. It is empty for a
        conversation without a first message.
        """
        self._send(events.EngineChanged(EngineInfo(EngineState.READY, model=self._model.card)))
        if self._lab.prompt.strip():
            if self._lab.kind == "chat":
                self._send(events.UseText(self._lab.prompt))
            self._touch()
        at_start = self._reached
        for number, action in enumerate(self._lab.solution, start=1):
            try:
                self._do(action)
            except TutorError as error:
                return Outcome(tuple(sorted(at_start)), (), error.happened, number)
        return Outcome(tuple(sorted(at_start)), tuple(sorted(self._reached)))

    def _do(self, action: Action) -> None:
        if action.prompt:
            self._send(events.UseText(action.prompt))
            self._touch()
        elif action.take:
            self._take(action.take)
        elif action.sampler is not None:
            self._send(events.SetSampler(action.sampler.settings))
        elif action.fork:
            self._send(events.Signal.FORK)
        for _ in range(action.back):
            self._send(events.Signal.BACK)
        for _ in range(action.greedy):
            if not self._state.ended:
                self._send(events.TakeRow(0))
        for _ in range(action.write):
            if not self._state.ended:
                self._send(events.Signal.STEP)

    def _take(self, written: str) -> None:
        tree = self._state.tree
        if tree is None or self._session is None:
            raise LessonError("There is no text yet, so no token can be chosen.")
        self._follow(tree.tokens)
        wanted = token_id(self._model, written)
        (row,) = self._session.rows(tree.focus, self._state.sampler, [wanted])
        self._send(events.TakeFound(row))

    def _touch(self) -> None:
        """Apply the current sampler settings again, so that the explorer reports its state."""
        self._send(events.SetSampler(self._state.sampler))

    def _send(self, event: Event) -> None:
        """Handle an event, and respond to the request that it causes.

        Generation is paused after each request, because the solution determines how many tokens the
        model generates. Raises the explorer's error, if there is one.
        """
        self._update(event)
        while (request := self._asked) is not None:
            self._asked = None
            self._update(self._result(request))
            if self._state.running:
                self._update(events.Signal.PAUSE)
        if isinstance(self._state.note, TutorError):
            raise self._state.note

    def _update(self, event: Event) -> None:
        self._state, wanted = update(self._state, event)
        for effect in wanted:
            match effect:
                case Question() | Start():
                    self._asked = effect
                case Evidence():
                    self._reached = goals_reached(self._lab, effect, self._reached)

    def _result(self, request: Question | Start) -> Event:
        from tutor.lm.chat import chat_ids, text_ids, turn_ids

        if isinstance(request, Question):
            return events.Answered(request, self._answer(request))
        if request.path:
            ids = turn_ids(self._model, [token.id for token in request.path], request.text)
        elif request.chat:
            ids = chat_ids(self._model, [ChatMessage("user", request.text)])
        else:
            ids = text_ids(self._model, request.text)
        return events.TokensArrived(request, tuple(self._model.tokenizer.tokens(ids)))

    def _answer(self, question: Question) -> Answer:
        session = self._follow(question.tokens)
        position, sampler, start = question.position, question.sampler, question.surprisals_from
        found = session.distribution(position, sampler, question.seed, question.top)
        actual = None
        if question.actual is not None:
            (actual,) = session.rows(position, sampler, [question.actual])
        surprisals = session.surprisals(start) if start is not None else ()
        return Answer(found, actual, tuple(surprisals))

    def _follow(self, path: tuple[Token, ...]) -> Session:
        from tutor.lm.session import Session

        ids = [token.id for token in path]
        if self._session is None:
            self._session = Session(self._model, ids)
        else:
            self._session.replace(ids)
        return self._session
