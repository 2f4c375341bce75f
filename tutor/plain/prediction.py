"""A section's prediction in plain mode: the request for a guess, and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.reader.reveal import introduced, revealed, sentence
from tutor.app.saving import on_disk
from tutor.course.prediction import BLANK, ChoicePrediction, NumberPrediction
from tutor.language import _
from tutor.learner.records import Predicted
from tutor.plain import markdown, words

if TYPE_CHECKING:
    from tutor.course.lesson import Lesson
    from tutor.course.prediction import Prediction, Revealed
    from tutor.plain.place import Services


class Asking:
    """A request for a prediction. `open` is true until the answer has been revealed."""

    def __init__(self, services: Services, lesson: Lesson, prediction: Prediction) -> None:
        self._services = services
        self._lesson = lesson
        self._prediction = prediction
        self.open = False

    async def begin(self) -> None:
        """Print the question. If the learner has already predicted, also print the answer."""
        prediction = self._prediction
        say = self._services.voice.say
        say(_("Prediction: {ask}").format(ask=markdown.inline(prediction.ask)))
        if isinstance(prediction, ChoicePrediction):
            for letter, choice in zip(words.LETTERS, prediction.choices, strict=False):
                say(f"{letter}: {words.ended(markdown.inline(choice))}")
        made = self._services.progress.lesson(self._lesson.id).predictions.get(prediction.id)
        if made is None:
            self.open = True
            return
        await self._reveal(made.guess, await self._answer(made.guess))

    @property
    def asks(self) -> str:
        """A sentence that asks for a prediction, such as "Type a letter from a to d."."""
        match self._prediction:
            case ChoicePrediction(choices=choices):
                return _("Type a letter from a to {last}.").format(
                    last=words.LETTERS[len(choices) - 1]
                )
            case NumberPrediction(low=low, high=high, unit=unit):
                limits = _("from {low} to {high}").format(
                    low=words.number(low), high=words.number(high)
                )
                return (
                    words.spoken(
                        _("Type a number {limits} {unit}").format(limits=limits, unit=unit)
                    )
                    + "."
                )
        return _("Type your prediction.")

    async def take(self, text: str) -> None:
        """Handle a prediction, then reveal the answer. An empty text skips the prediction."""
        prediction, guess = self._prediction, text
        if isinstance(prediction, ChoicePrediction) and len(text) == 1:
            place = words.LETTERS.find(text.casefold())
            guess = str(place + 1) if 0 <= place < len(prediction.choices) else text
        if guess and prediction.problem(guess):
            self._services.voice.reply(_("{text} is not a valid prediction.").format(text=text))
            return
        answer = await self._answer(guess)
        if guess:
            await self._record(guess, answer)
        self.open = False
        await self._reveal(prediction.shown(guess), answer)

    async def _record(self, guess: str, answer: Revealed) -> None:
        prediction, progress = self._prediction, self._services.progress
        compared = prediction.compare(guess, answer)
        event = Predicted(
            at=progress.clock(),
            prediction=prediction.id,
            lesson=self._lesson.id,
            guess=prediction.shown(guess),
            answer=answer.text,
            off=compared.off,
            right=compared.right,
        )
        await on_disk(progress.record(event))

    async def _answer(self, guess: str) -> Revealed:
        if self._prediction.computed is not None and self._services.engine.model is None:
            self._services.voice.say(_("The model is loading."))
        return await revealed(self._services.engine, self._prediction, guess)

    async def _reveal(self, guess: str, answer: Revealed) -> None:
        card = self._services.engine.model
        said = sentence(self._prediction, guess, answer, card.name if card else _("the model"))
        reveal = self._prediction.reveal.replace(BLANK, answer.value)
        # A choice is written in Markdown, but a typed guess is plain text.
        written = isinstance(self._prediction, ChoicePrediction)
        said = markdown.inline(said) if written else words.spoken(said)
        intro = introduced(self._prediction, card)
        self._services.voice.say(said, words.spoken(intro), markdown.inline(reveal))
