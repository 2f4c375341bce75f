"""Compute the answers that predictions reveal, and describe them in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tutor.app.quiz.course_model import introduction
from tutor.app.quiz.guesses import first_token, guessed
from tutor.app.widgets import figures
from tutor.course.prediction import BLANK, NumberPrediction, Revealed, TokenPrediction
from tutor.language import _
from tutor.lm.distribution import PLAIN, ChatMessage

if TYPE_CHECKING:
    from tutor.course.model_value import ModelValue
    from tutor.course.prediction import Prediction
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.distribution import ModelCard, Row

_CONTINUATION = 16
"""The maximum number of tokens in a greedy continuation."""


async def revealed(engine: Engine, prediction: Prediction, guess: str) -> Revealed:
    """Return the answer to a prediction. If the answer depends on the model, compute it.

    `guess` is only used in predictions of a token, where the answer contains the rank of the guess.
    Raises `TutorError` if the engine fails.
    """
    if isinstance(prediction, TokenPrediction):
        return await _token(engine, prediction.computed, guess.strip())
    written, wanted = prediction.written_answer, prediction.computed
    if wanted is None:
        assert written is not None  # a prediction has a written answer, a computed answer, or both
        return written
    if wanted.value == "greedy":
        text = await _continuation(engine, wanted)
        return Revealed(text, value=text)
    number = await _number(engine, wanted)
    if written is not None:
        return Revealed(written.text, written.number, value=_formatted(wanted, number))
    assert isinstance(prediction, NumberPrediction)
    answer = prediction.as_answer(number)
    text = _formatted(wanted, number) if prediction.in_percent else answer.text
    return Revealed(text, answer.number, value=text)


def sentence(prediction: Prediction, guess: str, answer: Revealed, model: str) -> str:
    """Return a sentence with the answer and, if the learner has made one, the guess."""
    if isinstance(prediction, TokenPrediction):
        best = _("The most probable token is {text}.").format(text=answer.text)
        if not guess:
            return best
        if answer.number == 1:
            return _("You predicted the most probable token: {value}.").format(value=answer.value)
        return _("You predicted {value}, which has rank {number:,.0f}. {best}").format(
            value=answer.value, number=answer.number, best=best
        )
    guess = guess and quoted(prediction, guess)
    if not (text := answer.text.strip()):
        return _("You predicted {guess}.").format(guess=guess) if guess else ""
    right = quoted(prediction, text)
    number = isinstance(prediction, NumberPrediction)
    if guess == (prediction.shown(text) if number else right):  # “50 %” equals “50.0 %”
        return _("You predicted {guess}, and that is the answer.").format(guess=guess)
    computed = prediction.written_answer is None
    verb = _("computes") if number else _("writes")
    subject = f"{model} {verb}" if computed else _("the answer is")
    said = (
        _("You predicted {guess}; {subject}").format(guess=guess, subject=subject)
        if guess
        else subject[0].upper() + subject[1:]
    )
    return f"{said} {right}."


def introduced(prediction: Prediction, model: ModelCard | None) -> str:
    """Return a line to show before the explanation, or "" if it needs none.

    If the answer was computed, but not by the default model, the line says which model the
    explanation describes.
    """
    if prediction.computed is None:
        return ""
    named = prediction.written_answer is None and not isinstance(prediction, TokenPrediction)
    return introduction(model, names=not named, filled=BLANK in prediction.reveal)


def quoted(prediction: Prediction, guess: str) -> str:
    """Put a guess into quotation marks, unless it is a number."""
    return guess if isinstance(prediction, NumberPrediction) else _("“{text}”").format(text=guess)


def _formatted(wanted: ModelValue, number: float) -> str:
    match wanted.value:
        case "probability":
            return figures.percent(number)
        case "surprisal" | "entropy":
            return _("{number} bits").format(number=figures.bits(number))
        case "logit":
            return f"{number:.2f}"
    return figures.count(round(number))


async def _number(engine: Engine, wanted: ModelValue) -> float:
    session = await _open(engine, wanted)
    try:
        position = len(session.tokens)
        if wanted.value == "tokens":
            return float(position)
        sampler = wanted.settings
        if not wanted.token:
            found = await session.distribution(position, sampler, seed=0, top=1)
            return found.sampled_entropy_bits if wanted.value == "entropy" else float(found.kept)
        row = (await first_token(engine, session, _text_of(wanted.token), sampler)).row
    finally:
        await session.close()
    match wanted.value:
        case "logit":
            return row.logit
        case "rank":
            return float(row.rank)
        case "surprisal":
            return -math.log2(row.sampled_probability) if row.sampled_probability else math.inf
    return row.sampled_probability


async def _token(engine: Engine, wanted: ModelValue, guess: str) -> Revealed:
    """Return the most probable token, along with the rank and the probability of the guess."""
    session = await _open(engine, wanted)
    try:
        found = await session.distribution(len(session.tokens), PLAIN, seed=0, top=1)
        best = (await guessed(engine, session, guess)).row if guess else None
    finally:
        await session.close()
    text = _with_probability(found.rows[0])
    return Revealed(
        text,
        number=float(best.rank) if best else None,
        value=_with_probability(best) if best else "",
    )


def _with_probability(row: Row) -> str:
    return f"{figures.shown(row.token)} ({figures.percent(row.probability)})"


def _text_of(token: str) -> str:
    """Convert a token from a lesson's notation, in which ␣ is a space, to its text."""
    return token.replace("␣", " ").replace("⏎", "\n").replace("⇥", "\t")


async def _continuation(engine: Engine, wanted: ModelValue) -> str:
    """Return the greedy continuation up to the first line break."""
    session = await _open(engine, wanted)
    begin = len(session.tokens)
    try:
        for __ in range(_CONTINUATION):
            found = await session.distribution(len(session.tokens), PLAIN, seed=0, top=1)
            token = found.rows[0].token
            if token.special or b"\n" in token.data:
                break
            session.append([token])
        return b"".join(token.data for token in session.tokens[begin:]).decode("utf-8", "replace")
    finally:
        await session.close()


async def _open(engine: Engine, wanted: ModelValue) -> AsyncModelSession:
    if not wanted.chat:
        return await engine.open_text(wanted.prompt)
    system = [ChatMessage("system", wanted.system)] if wanted.system else []
    return await engine.open_chat([*system, ChatMessage("user", wanted.prompt)])
