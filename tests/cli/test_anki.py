"""Test the file that Anki imports, by reading it as Anki does."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command_line import Tutor
from tests.cli.test_learning_commands import answer
from tests.shipped_course import shipped_course
from tutor.cli.anki import anki
from tutor.course.questions.choices import Choice
from tutor.course.questions.single import SingleChoice

HOSTILE = '<script>alert(1)</script>\t"x"\n![i](http://a.b/c.png) [l](javascript:x) \x1b[2J'


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def read(text: str) -> list[list[str]]:
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    return list(csv.reader(lines, delimiter="\t"))


def question(text: str) -> SingleChoice:
    choices = (Choice(text="yes", why=text, right=True), Choice(text="no" + text, why=text))
    return SingleChoice(id="q", ask=text, hint="h", why=text, choices=choices)


def test_the_cards_that_were_answered_are_exported(tutor: Tutor, tmp_path: Path) -> None:
    ids = answer("anki", ago=3, questions=12)
    file = tmp_path / "cards.txt"
    assert tutor("progress", "export", "--anki", str(file), "--learner", "anki").status == 0
    text = file.read_text(encoding="utf-8")
    assert text.startswith("#separator:tab\n#html:true\n")
    cards = [card for card in read(text) if card]
    assert [card[3] for card in cards] == [f"tutor-{each}" for each in ids]


def test_without_answers_it_says_how_to_get_cards(tutor: Tutor) -> None:
    found = tutor("progress", "export", "--anki", "--learner", "fresh")
    assert found.status == 0
    assert "There are no cards yet" in found.err
    assert "Run `tutor`" in found.err


def test_every_question_of_the_course_becomes_a_card() -> None:
    asked = [
        (each.id, question) for each in shipped_course().lessons for question in each.questions
    ]
    cards = [card for card in read(anki(asked)) if card]
    assert len(cards) == len(asked)
    for front, back, _, _ in cards:
        assert Tags(front).words.strip()
        assert Tags(back).words.strip()
        assert (Tags(front).tags | Tags(back).tags).isdisjoint({"a", "img", "script"})


def test_hostile_text_is_only_text() -> None:
    (card,) = [card for card in read(anki([("l", question(HOSTILE))])) if card]
    assert len(card) == 4
    for side in card[:2]:
        assert Tags(side).tags <= {"p", "ul", "li", "br"}
        assert "<script>alert(1)</script>" in Tags(side).words
    assert "\x1b" not in "".join(card)


@given(st.text(min_size=1, max_size=200))
def test_any_text_is_one_line_with_four_fields(text: str) -> None:
    lines = anki([("l", question(text))]).split("\n")[4:]
    assert len(lines) == 2
    assert len(lines[0].split("\t")) == 4
