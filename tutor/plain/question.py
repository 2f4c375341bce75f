"""Ask one question, grade and record the answer, and explain it.

`tutor.plain.quiz` and `tutor.plain.review` decide which question comes next.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import msgspec

from tutor.app.quiz.course_model import introduced
from tutor.app.saving import on_disk
from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.language import _
from tutor.learner.records import Answered, Draft
from tutor.learner.schedule import guess_matters, hint_matters
from tutor.plain import markdown, words
from tutor.plain.model_answers import ask_model
from tutor.plain.place import Command, Place
from tutor.study.memory_words import AFTER_A_GUESS, AFTER_A_HINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.course.lesson import Lesson
    from tutor.course.questions.answers import Answer
    from tutor.course.questions.question import Question
    from tutor.course.questions.verdict import Mark, Verdict
    from tutor.plain.place import Leave, Replace, Services

_MARKS: dict[Mark, str] = {
    "right": _("Your answer, right"),
    "wrong": _("Your answer, wrong"),
    "missed": _("Also right"),
    "left": _("Not right"),
}


class QuestionPlace(Place):
    """The base class of quizzes and reviews, which ask one question after another."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._lesson: Lesson | None = None
        self._question: Question | None = None
        self._order: tuple[int, ...] = ()
        self._draft = Draft(version=1)
        self._verdict: Verdict | None = None

    # --- for subclasses ------------------------------------------------------------------------

    @abstractmethod
    async def go_on(self) -> Place | Leave | Replace | None:
        """Ask the next question, or end if there is none."""

    @abstractmethod
    async def skip(self) -> Place | Leave | Replace | None:
        """Skip the question, so that it can be answered later."""

    @abstractmethod
    def keep_draft(self, draft: Draft | None) -> None:
        """Save an answer that the learner has entered but not submitted."""

    def answered(self, event: Answered) -> None:
        """Update the quiz or review after an answer has been saved."""

    def afterword(self) -> str:
        """Return a sentence to print after the verdict, or "" for none."""
        return ""

    def more_commands(self) -> Sequence[Command]:
        return ()

    def next_help(self) -> str:
        return _("Go to the next question.")

    # --- asking --------------------------------------------------------------------------------

    def ask(
        self,
        lesson: Lesson,
        question: Question,
        seed: int,
        draft: Draft | None = None,
        given: str = "",
    ) -> None:
        """Ask a question.

        If the learner has already submitted an answer, `given` is its text, and the verdict is
        printed as well.
        """
        self._lesson, self._question = lesson, question
        self._order = question.display_order(seed)
        self._draft = draft or Draft(version=question.version)
        self._verdict = None
        self._say_question()
        card = self.services.progress.card(question.id)
        if given and card is not None:
            verdict = question.grade_again(given, correct=card.last_correct)
            self._explain(verdict)

    def nothing_asked(self) -> None:
        self._question = self._verdict = None

    def _say_question(self) -> None:
        question = self._question
        assert question is not None
        first, *rest = markdown.read(question.ask).lines or ("",)
        self.say(f"{self.title} {first}", *rest)
        match question:
            case MatchQuestion(pairs=pairs):
                for number, pair in enumerate(pairs, 1):
                    self.say(f"{number}: {markdown.inline(pair.left)}")
            case NextTokenQuestion(prompt=prompt):
                self.say(_('The text is: "{prompt}"').format(prompt=words.spoken(prompt)))
        self.say(*(f"{letter}: {text}" for letter, text in self._lettered()))

    def _lettered(self) -> list[tuple[str, str]]:
        """Return the texts that the learner chooses from, each with its letter."""
        question = self._question
        texts: Sequence[str] = ()
        match question:
            case ChoiceQuestion(choices=choices):
                texts = [choice.text for choice in choices]
            case OrderQuestion(items=items):
                texts = items
            case MatchQuestion(pairs=pairs):
                texts = [pair.right for pair in pairs]
            case ComparePrompts(prompts=prompts):
                return [*zip(words.LETTERS, map(words.spoken, prompts), strict=False)]
        shown = (markdown.inline(texts[place]) for place in self._order)
        return [*zip(words.LETTERS, shown, strict=False)]

    def asks(self) -> str:
        question = self._question
        if question is None or self._verdict is not None:
            return ""
        last = words.LETTERS[max(0, len(self._lettered()) - 1)]
        match question:
            case SeveralChoices():
                return _("Type the letters of all right answers, such as a c.")
            case ChoiceQuestion() | ComparePrompts():
                return _("Type a letter from a to {last}.").format(last=last)
            case OrderQuestion():
                return _(
                    "Type the letters from a to {last} in the right order, such as c a b."
                ).format(last=last)
            case MatchQuestion(pairs=pairs):
                return _("Type a letter for each number from 1 to {count}, such as b a c.").format(
                    count=len(pairs)
                )
            case NumberQuestion(unit=unit):
                return (
                    _("Type a number, in {unit}.").format(unit=words.spoken(unit))
                    if unit
                    else _("Type a number.")
                )
            case NextTokenQuestion():
                return _("Type the next word.")
        return _("Type a word or two.")

    # --- answering -----------------------------------------------------------------------------

    @property
    def takes_text(self) -> bool:  # type: ignore[override]
        return self._question is not None and self._verdict is None

    async def typed(self, text: str) -> None:
        question = self._question
        if question is None or self._verdict is not None:
            self.services.voice.reply(_("You have already answered this question."))
            return
        answer = self._parsed(question, text)
        if answer is None:
            self.services.voice.reply(_("{text} is not a valid answer here.").format(text=text))
            return
        entered = question.as_text(answer)
        if question.asks_model:
            live = await ask_model(self.services.engine, question, answer)
            self.say(*live.lines)
            await self._judge(question, live.answer, entered)
        else:
            await self._judge(question, answer, entered)

    def _parsed(self, question: Question, text: str) -> Answer | None:
        if not self._lettered():
            return text
        letters = [each for each in text.casefold() if each.isalnum()]
        count = len(self._lettered())
        places = [words.LETTERS.find(each) for each in letters]
        if not places or not all(0 <= place < count for place in places):
            return None
        chosen = [self._order[place] for place in places] if self._order else places
        return question.from_text(",".join(str(place + 1) for place in chosen))

    async def _judge(self, question: Question, answer: Answer, text: str) -> None:
        verdict = question.grade(answer)
        if not verdict.counted:
            self.say(verdict.message)
            return
        assert self._lesson is not None
        event = Answered(
            at=self.services.progress.clock(),
            question=question.id,
            version=question.version,
            lesson=self._lesson.id,
            correct=verdict.correct,
            guessed=self._draft.guessed,
            hinted=self._draft.hinted,
            attempt=self._draft.attempt,
            answer=text.strip(),
        )
        saved = await on_disk(self.services.progress.record(event))
        self.answered(event)
        self._explain(verdict, computed=question.asks_model)
        if saved and (afterword := self.afterword()):
            self.say(afterword)

    def _explain(self, verdict: Verdict, *, computed: bool = False) -> None:
        """Print the verdict and the explanation.

        `computed` is true if the model has just computed the verdict.
        """
        self._verdict = verdict
        question = self._question
        assert question is not None
        self.say(words.spoken(verdict.message))
        match question:
            case ChoiceQuestion(choices=choices):
                for place in self._order:
                    note = verdict.notes[place] if verdict.notes else None
                    if note is not None:
                        text = words.ended(markdown.inline(choices[place].text))
                        mark = (
                            _("Right") if note.mark == "missed" and not _several(question) else ""
                        )
                        head = mark or _MARKS[note.mark]
                        self.say(f"{head}: {text} {markdown.inline(note.why)}")
            case OrderQuestion(items=items) if not verdict.correct:
                for number, item in enumerate(items, 1):
                    self.say(
                        _("Position {number}: {item}").format(
                            number=number, item=markdown.inline(item)
                        )
                    )
            case MatchQuestion(pairs=pairs):
                for pair, note in zip(pairs, verdict.notes, strict=False):
                    left, why = markdown.inline(pair.left), markdown.inline(note.why)
                    self.say(f"{_MARKS[note.mark]}: {words.ended(left)} {why}")
            case ComparePrompts():
                for letter, note in zip(words.LETTERS, verdict.notes, strict=False):
                    self.say(f"{letter}: {words.spoken(note.why)}" if note.why else "")
        self.say(words.spoken(introduced(question, self.services.engine.model, computed)))
        self.say(_("Why: {why}").format(why=markdown.inline(question.why)))

    # --- commands ------------------------------------------------------------------------------

    def on_enter(self) -> Command | None:
        if self._verdict is not None:
            return Command("next", self.next_help(), self._next)
        return None

    def commands(self) -> Sequence[Command]:
        if self._question is None:
            return self.more_commands()
        found = []
        if self._verdict is None:
            found.append(Command("answer", "Give your answer.", self._answer, "TEXT"))
            if not self._draft.hinted:
                less = _("Show a hint. A right answer then counts less.")
                said = less if hint_matters(self._draft) else _("Show a hint.")
                found.append(Command("hint", said, self._hint))
            found.append(Command("skip", "Leave this question for later.", self._skip))
            mark = _("Don't mark your next answer as a guess.") if self._draft.guessed else ""
            said = mark or _("Mark your next answer as a guess.")
            found.append(Command("guess", said, self._guess))
        elif not self._verdict.correct:
            found.append(Command("retry", "Answer this question again.", self._retry))
        found.append(Command("repeat", "Repeat the question.", self._repeat))
        if self._verdict is not None and self._question.screen is not None:
            said = _("Go to the section of the lesson that the question is about.")
            found.append(Command("lesson", said, self._look))
        return (*found, *self.more_commands())

    async def _next(self, rest: str) -> Place | Leave | Replace | None:
        return await self.go_on()

    async def _answer(self, rest: str) -> None:
        await self.typed(rest)

    async def _skip(self, rest: str) -> Place | Leave | Replace | None:
        return await self.skip()

    async def _repeat(self, rest: str) -> None:
        self._say_question()

    def _keep(self, **changes: object) -> None:
        self._draft = msgspec.structs.replace(self._draft, **changes)
        self.keep_draft(self._draft)

    async def _hint(self, rest: str) -> None:
        assert self._question is not None
        self._keep(hinted=True)
        self.say(_("Hint: {hint}").format(hint=markdown.inline(self._question.hint)))
        if hint_matters(self._draft):
            self.say(AFTER_A_HINT)

    async def _guess(self, rest: str) -> None:
        self._keep(guessed=not self._draft.guessed)
        marked = _("Your answer will count as a guess.")
        self.say(marked if self._draft.guessed else _("Your answer will not count as a guess."))
        if guess_matters(self._draft):
            self.say(AFTER_A_GUESS)

    async def _retry(self, rest: str) -> None:
        assert self._question is not None
        attempt = self._draft.attempt + 1
        self._draft = Draft(version=self._question.version, attempt=attempt)
        self.keep_draft(self._draft)
        self._verdict = None
        self._say_question()

    async def _look(self, rest: str) -> Place | None:
        assert self._lesson is not None
        assert self._question is not None
        return self.services.open.lesson(self._lesson, self._question.screen)


def _several(question: Question) -> bool:
    return isinstance(question, SeveralChoices)
