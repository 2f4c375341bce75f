"""A view of a question: its text, the answer widget, the hint and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content

from tutor.app.quiz.answers import AnswerList, Choices, Ordering, TypedAnswer
from tutor.app.quiz.matching import Matching
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.clicks import KeyText
from tutor.app.widgets.inline import inline
from tutor.app.widgets.key_names import with_keys
from tutor.app.widgets.prose import Prose
from tutor.app.widgets.static import Static
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion
from tutor.language import _
from tutor.learner.schedule import hint_matters
from tutor.study.memory_words import AFTER_A_HINT
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.screen import Screen
    from textual.widget import Widget

    from tutor.course.questions.answers import Answer
    from tutor.course.questions.choices import ChoiceQuestion
    from tutor.course.questions.question import Question
    from tutor.course.questions.verdict import Verdict
    from tutor.learner.records import Draft


class AnswerField(NamedTuple):
    """The widgets for an answer: an `AnswerList` or `TypedAnswer`, and its labels.

    `how` is an instruction to show in addition to the key line.
    """

    widgets: list[Widget]
    how: str = ""


def answer_field(question: Question, seed: int) -> AnswerField:
    """Create the widgets for an answer to `question`. `seed` determines the order of choices."""
    order = question.display_order(seed)
    match question:
        case SingleChoice():
            return AnswerField([Choices(_texts(question), order, several=False)])
        case SeveralChoices():
            choices = Choices(_texts(question), order, several=True)
            return AnswerField([choices], _("Tick every correct choice by its letter."))
        case ComparePrompts():
            prompts = [Content(safe(figures.ended(each))) for each in question.prompts]
            how = _("Your answer is checked with the live model.")
            return AnswerField([Choices(prompts, (0, 1), several=False)], how)
        case MatchQuestion():
            matching = Matching(question.pairs, order)
            how = _("Press the letter that matches the selected line. ↑ ↓ select another line.")
            return AnswerField([matching, matching.options], how)
        case OrderQuestion():
            ordering = Ordering([inline(item) for item in question.items], order)
            how = _("Press Space to pick up an item, ↑ or ↓ to move it, and Space to put it down.")
            return AnswerField([ordering], how)
        case NumberQuestion():
            number = TypedAnswer(number=True, placeholder=_("a number"))
            return AnswerField([_field(number, question.unit)])
        case NextTokenQuestion():
            prompt = Content.assemble(safe(question.prompt), (" …", MUTED))
            guess = _field(TypedAnswer(placeholder=_("the next word")))
            return AnswerField([Static(prompt, classes="prompt"), guess])
        case TextQuestion():
            return AnswerField([_field(TypedAnswer(placeholder=_("a word or two")))])
        case _:
            assert_never(question)


def _texts(question: ChoiceQuestion) -> list[Content]:
    return [inline(choice.text) for choice in question.choices]


def _field(answer: TypedAnswer, unit: str = "") -> Horizontal:
    mark = Static("> ", classes="mark", markup=False)
    return Horizontal(mark, answer, Static(safe(unit), classes="unit", markup=False), id="field")


class Feedback(Static):
    """The verdict on an answer, the explanation, and any predictions of the model."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def say(
        self, verdict: Verdict, why: str, table: Content | None, afterword: str, intro: str
    ) -> None:
        """Show a verdict.

        `why` is inline Markdown. `intro` is the line before it, and `afterword` is the last line.
        Both can be "".
        """
        mark = ("✓ ", f"bold {RIGHT}") if verdict.correct else ("× ", f"bold {NOT_YET}")
        lines = [Content.assemble(mark, (safe(verdict.message), "bold"))]
        if table is not None:
            lines += [table, Content("")]
        if intro:
            lines.append(Content.styled(intro, MUTED))
        lines.append(inline(why))
        if afterword:
            lines.append(Content.styled(afterword, MUTED))
        self.update(Content("\n").join(lines))


class QuestionView(VerticalScroll, can_focus=False):
    """A view that shows one question at a time.

    After an answer, it keeps the verdict in view until the learner scrolls, even when the layout
    changes again, for example because a scroll bar makes the lines narrower.
    """

    _follows_verdict = False
    _changing = False
    """Whether the next question is not completely on the screen yet."""

    def compose(self) -> ComposeResult:
        yield Prose(id="ask")
        yield KeyText(id="how", markup=False)
        yield Container(id="answer")
        yield Static(id="hint", markup=False)
        yield Feedback(id="feedback")

    def on_mount(self) -> None:
        self.screen.screen_layout_refresh_signal.subscribe(self, self._laid_out)

    def _laid_out(self, _screen: Screen[Any]) -> None:
        self.scroll_to_verdict()

    def scroll_to_verdict(self) -> None:
        """Bring the verdict into view, unless the learner has scrolled since the answer."""
        if self._follows_verdict:
            top = self.query_one(Feedback).virtual_region.y
            self.scroll_to(y=min(top, self.max_scroll_y), animate=False, immediate=True)

    def stay(self) -> None:
        """Stop scrolling to the verdict, because the learner has scrolled."""
        self._follows_verdict = False

    on_mouse_scroll_down = on_mouse_scroll_up = stay

    async def ask(self, question: Question, seed: int, remark: str, entered: Answer | None) -> None:
        """Show a question, without its hint.

        `seed` determines the order of its choices, `remark` is shown before the instructions, and
        `entered` is an answer to put into the field, or None.
        """
        self._changing = True
        self.stay()
        for name in ("#ask", "#answer"):
            self.query_one(name).display = True
        await self.query_one(Prose).show(question.ask)
        widgets, how_to_answer = answer_field(question, seed)
        how = " ".join(filter(None, (remark, how_to_answer)))
        self._show_line("#how", with_keys(how), shown=bool(how))
        self.query_one(Feedback).update("")
        self._show_line("#hint", Content(), shown=False)
        answer = self.query_one("#answer")
        await answer.remove_children()
        await answer.mount_all(widgets)
        if entered is not None:
            self.field.enter(entered)
        self._changing = False
        self.field.focus(scroll_visible=False)
        self.scroll_home(animate=False)

    @property
    def field(self) -> AnswerList | TypedAnswer:
        """The widget in which the learner answers."""
        found = self.query("AnswerList, TypedAnswer").first()
        assert isinstance(found, AnswerList | TypedAnswer)
        return found

    def shows(self, field: Widget) -> bool:
        """Return True if `field` belongs to the question on the screen, not to an earlier one.

        If the terminal sends several keys at once, the app handles all of them before it handles
        the messages that the field posted. One of these keys may have changed the question.
        """
        return not self._changing and field is self.field

    @property
    def has_text_field(self) -> bool:
        return bool(self.query(TypedAnswer))

    @property
    def columns(self) -> int:
        """The width, in columns, available for the verdict. It leaves room for a scroll bar."""
        bar = 0 if self.show_vertical_scrollbar else self.styles.scrollbar_size_vertical
        return self.scrollable_content_region.width - bar

    def show_hint(self, question: Question, draft: Draft) -> None:
        """Show the question's hint and what it changes, if the learner has asked for the hint."""
        lines = [Content(_("Hint: ")) + inline(question.hint)]
        if hint_matters(draft):
            lines.append(Content.styled(AFTER_A_HINT, MUTED))
        self._show_line("#hint", Content("\n").join(lines), shown=draft.hinted)

    def scroll_to_hint(self) -> None:
        self.query_one("#hint").scroll_visible(animate=False)

    def show_verdict(
        self, verdict: Verdict, why: str, table: Content | None, afterword: str, intro: str = ""
    ) -> None:
        """Show notes next to the choices and the explanation below, and scroll to the verdict.

        The parameters are the same as for `Feedback.say`.
        """
        self._follows_verdict = True
        self.field.judge(verdict.notes)
        self._show_line("#how", Content(), shown=False)
        self.query_one(Feedback).say(verdict, why, table, afterword, intro)

    async def show_end(self, summary: Content) -> None:
        """Show `summary` in place of a question."""
        self.stay()
        await self.query_one("#answer").remove_children()
        for name in ("#ask", "#how", "#answer", "#hint"):
            self.query_one(name).display = False
        self.query_one(Feedback).update(summary)

    def _show_line(self, name: str, content: Content, *, shown: bool) -> None:
        line = self.query_one(name, Static)
        line.update(content)
        line.display = shown
