"""Write a learner's review cards as a text file that Anki imports (docs/progress.md).

Each line contains a question, its answer with the reasons, a tag, and an id. The id lets a later
import update the card instead of adding it again. All text is escaped, and links and images are
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import assert_never

from markdown_it import MarkdownIt

from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.question import Question
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion
from tutor.language import _
from tutor.text import safe

HEAD = "#separator:tab\n#html:true\n#tags column:3\n#guid column:4\n"
_ASK_THE_MODEL = _("The model computes the answer. Open tutor to see it.")
_TYPED = _("(Type the answer.)")


def anki(questions: Iterable[tuple[str, Question]]) -> str:
    """Return the contents of an Anki text file with these questions.

    `questions` are pairs of a lesson id and a question.
    """
    lines = (
        "\t".join(
            (_field(_front(each)), _field(_back(each)), f"tutor::{lesson}", f"tutor-{each.id}")
        )
        for lesson, each in questions
    )
    return HEAD + "".join(f"{line}\n" for line in lines)


def _field(parts: Iterable[str]) -> str:
    """Join the HTML in `parts` on one line. Line breaks and tabs become character references."""
    return "".join(parts).strip().replace("\n", "&#10;").replace("\t", "&#9;")


def _front(question: Question) -> Iterator[str]:
    yield _html(question.ask)
    match question:
        case SingleChoice() | SeveralChoices():
            yield _list(choice.text for choice in question.choices)
        case OrderQuestion():
            yield _list(question.items[place] for place in question.display_order(0))
        case MatchQuestion():
            yield _list(pair.left for pair in question.pairs)
            yield _list(question.pairs[place].right for place in question.display_order(0))
        case ComparePrompts():
            yield _list(f"“{prompt}”" for prompt in question.prompts)
        case NextTokenQuestion():
            yield f"<p>“{escape(safe(question.prompt))}”</p>"
        case NumberQuestion() | TextQuestion():
            yield f"<p>{_TYPED}</p>"
        case _:
            assert_never(question)


def _back(question: Question) -> Iterator[str]:
    match question:
        case SingleChoice() | SeveralChoices():
            yield from _choices(question)
        case OrderQuestion():
            yield _list(question.items, "ol")
        case MatchQuestion():
            yield _list(f"{pair.left}: **{pair.right}**. {pair.why}" for pair in question.pairs)
        case NumberQuestion():
            yield f"<p><b>{question.answer:.10g} {escape(safe(question.unit))}</b></p>"
        case TextQuestion():
            yield f"<p><b>{escape(safe(question.accept[0]))}</b></p>"
        case ComparePrompts() | NextTokenQuestion():
            yield f"<p>{_ASK_THE_MODEL}</p>"
        case _:
            assert_never(question)
    yield _html(question.why)


def _choices(question: ChoiceQuestion) -> Iterator[str]:
    ordered = sorted(question.choices, key=lambda choice: not choice.right)
    yield _list(f"{'✓' if choice.right else '×'} {choice.text}: {choice.why}" for choice in ordered)


def _list(texts: Iterable[str], kind: str = "ul") -> str:
    return f"<{kind}>{''.join(f'<li>{_inline(text)}</li>' for text in texts)}</{kind}>"


def _html(markdown: str) -> str:
    rendered: str = _markdown().render(safe(markdown))
    return rendered


def _inline(markdown: str) -> str:
    rendered: str = _markdown().renderInline(safe(markdown))
    return rendered


@cache
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    for part in ("link_open", "link_close"):
        made.add_render_rule(part, lambda *_: "")
    return made
