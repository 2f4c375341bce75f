"""Compute the values that lessons quote about the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tutor.authoring import interventions
from tutor.authoring.attempt import Outcome, Solved, attempt, solved, token_id
from tutor.authoring.measured import Outcomes, outcomes, read_ahead
from tutor.errors import LessonError
from tutor.lm.distribution import PLAIN, ChatMessage
from tutor.text import visible

if TYPE_CHECKING:
    from tutor.authoring.kept_answers import KeptAnswers
    from tutor.course.lesson import Lab
    from tutor.course.measured import Cases, Patching, SteeringNumbers
    from tutor.course.model_value import ModelValue, Quoted
    from tutor.course.prediction import TokenPrediction
    from tutor.course.questions.compare import ComparePrompts
    from tutor.course.questions.next_token import NextTokenQuestion
    from tutor.lm.language_model import LanguageModel
    from tutor.lm.patch import Column
    from tutor.lm.session import Session

_MORE = 4
"""The number of tokens to generate beyond a quote, because the quote can end inside a token."""


class Value(msgspec.Struct, frozen=True):
    """The computed value of a quote: a number or, for `greedy`, the generated text."""

    number: float | None = None
    text: str = ""
    trouble: str = ""
    """The reason why a value cannot be computed, for example that `token` is not a single token."""


class Pair(msgspec.Struct, frozen=True):
    """The model's values for the two prompts of a `compare` question."""

    values: tuple[float, float] = (0.0, 0.0)
    trouble: str = ""


class Ranked(msgspec.Struct, frozen=True):
    """The most probable tokens after a prompt, with their probabilities."""

    tokens: tuple[tuple[str, float], ...]


class Ask:
    """The model's answers to questions that arise while a lesson is checked.

    The model is loaded only for an answer that is not stored yet.
    """

    def __init__(
        self,
        memory: KeptAnswers,
        load: Callable[[], LanguageModel],
        solve: Callable[[str, LanguageModel], Solved] = solved,
    ) -> None:
        """Store the answers in `memory`. `solve` runs the built-in solution of a lab."""
        self._memory = memory
        self._load = load
        self._solve = solve
        self._session: Session | None = None

    @cached_property
    def _model(self) -> LanguageModel:
        return self._load()

    def computed(self, value: ModelValue) -> Value:
        """Return the number that a prediction reveals."""
        return self._memory.answer(value, Value, lambda: self._computed(value))

    def quoted(self, number: Quoted) -> Value:
        says = number.says if number.value == "greedy" else "-"
        asked = msgspec.structs.replace(number, says=says)
        return self._memory.answer(asked, Value, lambda: self._quoted(number))

    def lab(self, lab: Lab) -> Outcome:
        """Return the outcome of a lab's solution. Each lab of `tutor.labs` is run only once."""
        if lab.kind == "live":
            name = lab.live
            done = self._memory.answer(name, Solved, lambda: self._solve(name, self._model))
            return done.outcome(lab)
        asked = [lab.kind, lab.prompt, lab.sampler, lab.goals, lab.solution]
        return self._memory.answer(asked, Outcome, lambda: attempt(lab, self._model))

    def compared(self, question: ComparePrompts) -> Pair:
        asked = [question.prompts, question.token, question.value]
        return self._memory.answer(asked, Pair, lambda: self._compared(question))

    def ranked(self, question: NextTokenQuestion) -> Ranked:
        """Return the `within` + 1 most probable tokens after a prompt."""
        asked = [question.prompt, question.within]
        return self._memory.answer(
            asked, Ranked, lambda: self._ranked(self._after(question.prompt), question.within + 1)
        )

    def first_two(self, prediction: TokenPrediction) -> Ranked:
        """Return the two most probable tokens after the prompt of a prediction."""
        wanted = prediction.computed
        return self._memory.answer(wanted, Ranked, lambda: self._ranked(self._open(wanted), 2))

    def outcomes(self, block: Cases, prompt: str) -> Outcomes:
        """Return the model's answers to `prompt`, with each case inserted into it."""
        asked = [prompt, block.cases, block.among]
        return self._memory.answer(asked, Outcomes, lambda: outcomes(block, prompt, self._model))

    def patched(self, block: Patching, column: Column) -> interventions.PatchedColumn:
        """Return the results of a patch at every layer."""
        asked = [block.text, block.other, column]
        return self._memory.answer(
            asked,
            interventions.PatchedColumn,
            lambda: interventions.patched(block, column, self._model),
        )

    def steered(self, block: SteeringNumbers, strength: float) -> interventions.Steered:
        """Return the effects of a steering vector."""
        asked = [block.pair, block.block, strength]
        return self._memory.answer(
            asked,
            interventions.Steered,
            lambda: interventions.steered(block, strength, self._model),
        )

    def steered_at_random(
        self, block: SteeringNumbers, strength: float, count: int
    ) -> interventions.SteeredAtRandom:
        """Return the effects of random vectors that are as long as a steering vector."""
        asked = [block.pair, block.block, strength, count]
        return self._memory.answer(
            asked,
            interventions.SteeredAtRandom,
            lambda: interventions.steered_at_random(block, strength, count, self._model),
        )

    # --- computing --------------------------------------------------------------------------

    def _quoted(self, number: Quoted) -> Value:
        if number.value == "greedy":
            return Value(text=self._greedy(self._open(number), number.says))
        return self._computed(number)

    def _computed(self, number: ModelValue) -> Value:
        session = self._open(number)
        if number.value == "tokens":
            return Value(float(len(session)))
        sampler, end = number.settings, len(session)
        if not number.token:
            found = session.distribution(end, sampler, seed=0, top=1)
            bits = found.sampled_entropy_bits
            return Value(bits if number.value == "entropy" else float(found.kept))
        try:
            (row,) = session.rows(end, sampler, [token_id(self._model, number.token)])
        except LessonError as error:
            return Value(trouble=error.problem)
        match number.value:
            case "logit":
                return Value(row.logit)
            case "rank":
                return Value(float(row.rank))
            case "surprisal":
                share = row.sampled_probability
                return Value(-math.log2(share) if share > 0 else math.inf)
        return Value(row.sampled_probability)

    def _open(self, number: ModelValue) -> Session:
        if not number.chat:
            return self._after(number.prompt)
        from tutor.lm.chat import chat_ids

        system = [ChatMessage("system", number.system)] if number.system else []
        messages = [*system, ChatMessage("user", number.prompt)]
        return self._read(chat_ids(self._model, messages))

    def _after(self, text: str) -> Session:
        from tutor.lm.chat import text_ids

        return self._read(text_ids(self._model, text))

    def _read(self, ids: Sequence[int]) -> Session:
        """Replace the tokens of the shared session with `ids`, and return the session.

        Many prompts of a lesson begin with the same text. Because they share one session, the model
        processes that text only once.
        """
        from tutor.lm.session import Session

        if self._session is None:
            self._session = Session(self._model, ids)
        else:
            self._session.replace(ids)
        return self._session

    def _greedy(self, session: Session, says: str) -> str:
        begin = len(session)
        self._read_ahead(session, says)
        for _ in range(len(self._model.tokenizer.encode(says)) + _MORE):
            best = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0]
            session.append([best.token.id])
            if session.ended:
                break
        written = [token for token in session.tokens[begin:] if not token.special]
        return b"".join(token.data for token in written).decode("utf-8", "replace")

    def _read_ahead(self, session: Session, says: str) -> None:
        """Process the quoted text in one pass, before its tokens are generated one by one."""
        first = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0].token.id
        for text in (says, f" {says}"):
            ids = self._model.tokenizer.encode(text)
            if ids[:1] == [first]:
                read_ahead(session, ids)

    def _compared(self, question: ComparePrompts) -> Pair:
        values = []
        for prompt in question.prompts:
            session = self._after(prompt)
            if question.value == "entropy":
                values.append(session.distribution(len(session), PLAIN, 0, 1).entropy_bits)
                continue
            try:
                wanted = token_id(self._model, question.token)
                (row,) = session.rows(len(session), PLAIN, [wanted])
            except LessonError as error:
                return Pair(trouble=error.problem)
            values.append(row.probability)
        return Pair((values[0], values[1]))

    def _ranked(self, session: Session, count: int) -> Ranked:
        found = session.distribution(len(session), PLAIN, seed=0, top=count)
        return Ranked(tuple((visible(row.token.data), row.probability) for row in found.rows))
