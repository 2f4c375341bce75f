"""A card that asks the learner for a prediction, and then reveals the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec
from textual import on
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tutor.app.base_screen import TutorScreen
from tutor.app.quiz.answers import LETTERS, Choices, Entered, Given, NothingChosen, TypedAnswer
from tutor.app.reader.reveal import introduced, quoted, revealed, sentence
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets.inline import inline
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.prose import Prose
from tutor.app.widgets.static import Static
from tutor.course.prediction import BLANK, ChoicePrediction, NumberPrediction
from tutor.course.questions.answers import as_text
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.records import Predicted, PredictionDraft
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.screen import Screen

    from tutor.app.services import Services
    from tutor.course.lesson import Lesson
    from tutor.course.prediction import Prediction, Revealed


ShownChoices = Literal["hidden", "plain", "marked"]
"""How the card shows the choices of a prediction.

While the learner can choose, the field shows them and the card hides them. When the answer has been
revealed, the right choice is marked.
"""

_SKIPS = _("Reveal the answer. If you have entered nothing, this skips the prediction.")

_SKIPPED = _("You skipped this prediction. Press Tab to hide the answer and predict.")


class PredictionField(TypedAnswer):
    """The field for a typed guess. While it is empty, ← and → go to other screens of the lesson."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "reveal", tooltip=_SKIPS),
    ]

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._describe)

    def _describe(self, _screen: object) -> None:
        """Say in the empty field which key leads to it or, if it has the focus, what Enter does."""
        if not self.has_focus:
            self.placeholder = _("Press Tab to type a prediction here.")
        elif self._number:  # letters do not begin a number, so the empty field does not take them
            self.placeholder = (
                _("Type a number, or read on with Enter.")
                if _reads_on(self)
                else _("Type a number, or skip this: Enter reveals the answer.")
            )
        elif _reads_on(self):
            self.placeholder = _("Type a prediction, or read on with Enter.")
        else:
            self.placeholder = _("Type a prediction, or skip it: Enter reveals the answer.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("cursor_left", "cursor_right") and not self.value:
            return False
        if action == "submit":
            return not _reads_on(self)
        return super().check_action(action, parameters)


class PredictionChoices(Choices):
    """The choices of a prediction, which work like the choices of a question.

    While they are open, Tab doesn't move the focus away from them, so that their letters choose and
    never mean anything else. A link in the text can be highlighted at the same time. Enter then
    opens it, until the learner chooses.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "reveal", tooltip=_SKIPS),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose":
            opens_link = self.answer is None and _has_link(self.screen)
            return not (_reads_on(self) or opens_link)
        return super().check_action(action, parameters)


def _has_link(screen: Screen[Any]) -> bool:
    return any(prose.href is not None for prose in screen.query(Prose))


def _reads_on(field: PredictionField | PredictionChoices) -> bool:
    """Return True if Enter should page down: the field is empty, and there is more text below."""
    screen = field.screen
    return field.answer is None and isinstance(screen, TutorScreen) and screen.hides_text


class PredictCard(Vertical):
    """A card with the prediction of a lesson screen. It is hidden if the screen has none.

    After the learner's guess, the card reveals the answer. The guess and the answer are saved. A
    learner who skips the guess can make it later.
    """

    class Taken(Message):
        """Posted when the learner has made or skipped the prediction."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._prediction: Prediction | None = None
        self._lesson = ""
        self.field: PredictionField | PredictionChoices | None = None
        """The field for the guess, or None when the answer has been revealed."""
        self.skipped = False
        """Whether the card shows the answer to a prediction that was skipped on another visit."""
        self._computing: Prediction | None = None
        """The prediction whose answer is being computed for the first time."""

    def compose(self) -> ComposeResult:
        yield Static(id="predict-ask", markup=False)
        yield Static(id="predict-answer", markup=False)

    async def show(self, lesson: Lesson, prediction: Prediction | None) -> None:
        """Ask for `prediction`, or show the answer if the learner has seen it before."""
        self._lesson, self._prediction, self.skipped = lesson.id, prediction, False
        self.display = prediction is not None
        await self._remove_field()
        self._say(Content(""))
        if prediction is None:
            return
        state = self._services.progress.lesson(lesson.id)
        made = state.predictions.get(prediction.id)
        self.skipped = made is None and prediction.id in state.predictions_skipped
        if made is not None or self.skipped:
            self._ask(prediction, choices="marked")
            self.run_worker(self._reveal_again(prediction, made.guess if made else ""))
            return
        draft = state.prediction_draft
        known = draft is not None and draft.prediction == prediction.id
        await self._open_field(prediction, draft.text if draft and known else "")

    @property
    def computing(self) -> bool:
        """True while the learner waits for the answer to the prediction on the screen."""
        return self._computing is not None and self._computing is self._prediction

    async def ask_again(self) -> None:
        """Ask for the prediction that was skipped, and hide its answer until then."""
        self.skipped = False
        if self._prediction is not None:
            self._say(Content(""))
            await self._open_field(self._prediction, "")

    async def _open_field(self, prediction: Prediction, entered: str) -> None:
        self._ask(prediction)
        self.field = _field(prediction, entered)
        await self.mount(self.field, before="#predict-answer")
        self.field.focus(scroll_visible=False)
        self.screen.refresh_bindings()

    async def _remove_field(self) -> None:
        field, self.field = self.field, None
        if field is not None:
            await field.remove()

    @on(Entered)
    def _entered(self, event: Entered) -> None:
        """Save the text entered so far, so that it is not lost when the learner leaves."""
        event.stop()
        if self._prediction is None or self.field is None:
            return
        for prose in self.screen.query(Prose):
            prose.leave()  # Enter now reveals the answer instead of opening a link.
        self.field.scroll_visible(animate=False)
        answer = self.field.answer
        progress = self._services.progress
        state = progress.lesson(self._lesson)
        draft = None
        if answer is not None:
            draft = PredictionDraft(prediction=self._prediction.id, text=as_text(answer))
        if draft != state.prediction_draft:
            progress.save_lesson(msgspec.structs.replace(state, prediction_draft=draft))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._take(event.value.strip())

    @on(Given)
    def _chosen(self, event: Given) -> None:
        event.stop()
        self._take(as_text(event.answer))

    @on(NothingChosen)
    def _skipped(self, event: NothingChosen) -> None:
        event.stop()
        self._take("")

    def _take(self, guess: str) -> None:
        prediction = self._prediction
        if prediction is None:
            return
        if guess and (problem := prediction.problem(guess)):
            self._say(Content.styled(problem, NOT_YET))
            return
        self.post_message(self.Taken())
        self.run_worker(self._reveal(prediction, guess))

    async def _reveal(self, prediction: Prediction, guess: str) -> None:
        """Close the field, save the guess and the answer, and show both.

        The guess is saved even if the learner goes to another screen in the meantime. If the model
        fails, the field opens again with the guess, so that the learner can retry.
        """
        lesson, self._computing = self._lesson, prediction
        await self._remove_field()
        self._ask(prediction, choices="plain")
        self.screen.refresh_bindings()
        answer = await self._answer(prediction, guess, prediction.shown(guess))
        self._computing = None
        if answer is None:
            if self._prediction is prediction:
                await self._open_field(prediction, guess)
            return
        self._save(lesson, prediction, guess, answer)
        if self._prediction is not prediction:
            return
        # If the learner has left the screen and come back, the field was created again.
        await self._remove_field()
        self._ask(prediction, choices="marked")
        self._say(self._revealed(prediction, prediction.shown(guess), answer))
        self.screen.refresh_bindings()
        self.call_after_refresh(self.query_one("#predict-answer").scroll_visible, animate=False)

    def _save(self, lesson: str, prediction: Prediction, guess: str, answer: Revealed) -> None:
        """Save the guess and its answer, or that the learner has skipped the prediction."""
        progress = self._services.progress
        if not guess:
            state = progress.lesson(lesson)
            skipped = dict.fromkeys((*state.predictions_skipped, prediction.id))
            now = msgspec.structs.replace(state, predictions_skipped=tuple(skipped))
            progress.save_lesson(now)
            return
        compared = prediction.compare(guess, answer)
        progress.record(
            Predicted(
                at=progress.clock(),
                prediction=prediction.id,
                lesson=lesson,
                guess=prediction.shown(guess),
                answer=answer.text,
                off=compared.off,
                right=compared.right,
            )
        )

    async def _reveal_again(self, prediction: Prediction, guess: str) -> None:
        answer = await self._answer(prediction, guess, guess)
        if answer is not None and self._prediction is prediction and self.field is None:
            said = self._revealed(prediction, guess, answer)
            self._say(said if guess else said + "\n" + with_keys(_SKIPPED))

    async def _answer(self, prediction: Prediction, guess: str, shown: str) -> Revealed | None:
        """Return the answer. If the model fails, show the error and return None.

        While the answer is being computed, the guess is shown as `shown`.
        """
        if prediction.computed is not None:
            predicted = _predicted(
                prediction, _("You predicted {quoted}. ").format(quoted=quoted(prediction, shown))
            )
            computing = Content.styled(_("Computing the answer…"), MUTED)
            self._say(predicted + computing if shown else computing)
        try:
            return await revealed(self._services.engine, prediction, guess)
        except TutorError as error:
            if self._prediction is prediction:
                self._say(Content.styled(safe(str(error)), MUTED))
            return None

    def _revealed(self, prediction: Prediction, guess: str, answer: Revealed) -> Content:
        """Draw the guess, the answer, and the text that explains the answer."""
        model = self._services.engine.model
        name = model.base_name if model else _("the model")
        said = _predicted(prediction, sentence(prediction, guess, answer, name))
        intro = Content.styled(introduced(prediction, model), MUTED)
        reveal = inline(prediction.reveal.replace(BLANK, answer.value))
        return Content("\n").join(line for line in (said, intro, reveal) if line)

    def _ask(self, prediction: Prediction, choices: ShownChoices = "hidden") -> None:
        asked = _asked(prediction, choices)
        self.query_one("#predict-ask", Static).update(asked)

    def _say(self, content: Content) -> None:
        answer = self.query_one("#predict-answer", Static)
        answer.update(content)
        answer.display = bool(content.plain)


def _field(prediction: Prediction, draft: str) -> PredictionField | PredictionChoices:
    """Create the field for a guess, with `draft` as its initial text."""
    if isinstance(prediction, ChoicePrediction):
        texts = [inline(choice) for choice in prediction.choices]
        choices = PredictionChoices(texts, range(len(texts)), several=False)
        if (place := prediction.place(draft)) is not None:
            choices.set_reactive(Choices.cursor, place)
        return choices
    field = PredictionField(number=isinstance(prediction, NumberPrediction))
    field.enter(draft)
    return field


def _asked(prediction: Prediction, choices: ShownChoices) -> Content:
    """Draw the question. `choices` says how its choices are shown."""
    lines = [Content.assemble((_("Predict  "), "bold"), inline(prediction.ask))]
    if isinstance(prediction, NumberPrediction) and prediction.unit:
        lines[0] += Content.styled(_(" (in {unit})").format(unit=safe(prediction.unit)), MUTED)
    if choices != "hidden" and isinstance(prediction, ChoicePrediction):
        for place, choice in enumerate(prediction.choices, start=1):
            right = choices == "marked" and place == prediction.right
            sign = ("✓ ", f"bold {RIGHT}") if right else "  "
            head = Content.assemble(sign, (f"{LETTERS[place - 1]}  ", MUTED))
            lines.append(head + inline(choice))
    return Content("\n").join(lines)


def _predicted(prediction: Prediction, sentence: str) -> Content:
    """Draw a sentence that contains the guess.

    A choice is Markdown, and typed text is plain text.
    """
    written = isinstance(prediction, ChoicePrediction)
    return (inline(sentence) if written else Content(safe(sentence))).stylize("bold")
