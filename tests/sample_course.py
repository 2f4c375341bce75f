"""A small course with a question of every type, for tests of the screens."""

from __future__ import annotations

import threading

from tutor.course.catalogue import Course
from tutor.course.lesson import Lab, Lesson, Screen, TookRankAtLeast, TopTokenBelow
from tutor.course.questions.choices import Choice
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion

_TEXT = """\
A language model answers **one** question: given this text, which token comes next? It answers it
with a *number for every token* that it knows.

- The numbers are probabilities: together they make 1.
- Nothing is chosen yet. `sampling` does that, one step later.

| token | probability |
|---|---|
| Paris | 0.77 |
| the | 0.06 |

```
The capital of France is ▏
```
"""

LAB = Lab(
    id="unsure",
    kind="stepper",
    task="Find a step at which the model is unsure, and take a token that it finds unlikely.",
    prompt="The capital of France is",
    goals=(TopTokenBelow(probability=0.2), TookRankAtLeast(rank=50)),
    done="You have seen it hesitate, and gone against it.",
)

LESSON = Lesson(
    id="next-token",
    number=2,
    version=1,
    title="One question, asked again and again",
    summary="What comes next?",
    screens=(
        Screen(id="question", title="The question", body=_TEXT),
        Screen(id="distribution", title="The answer is a distribution", body=_TEXT, lab=LAB),
        Screen(id="again", title="And again", body="Then it is asked again, one token later."),
    ),
    questions=(
        SingleChoice(
            id="cosine",
            ask="Two vectors point the same way, one is ten times longer.\n"
            "What is their cosine similarity?",
            hint="What does the cosine divide by?",
            why="The cosine of an angle does not depend on how long its sides are.",
            screen="question",
            choices=(
                Choice(text="0.1", why="Length does not enter: cosine divides it out."),
                Choice(text="1", why="Only the angle counts.", right=True),
                Choice(text="10", why="A cosine is never above 1."),
                Choice(text="it depends", why="It depends on the angle alone, and that is given."),
            ),
        ),
        SeveralChoices(
            id="true-of-probabilities",
            ask="What is true of the probabilities of **all** tokens?",
            hint="Think of a die.",
            why="They are a distribution: none is negative, and together they are certain.",
            screen="distribution",
            choices=(
                Choice(text="They add up to 1.", why="Something has to come.", right=True),
                Choice(text="None is negative.", why="A probability never is.", right=True),
                Choice(text="One of them is above 0.5.", why="Not when the model is unsure."),
            ),
        ),
        NumberQuestion(
            id="bits",
            ask="A token has probability 0.25. How surprising is it, in bits?",
            hint="How many times do you halve 1?",
            why="Surprisal is −log₂ p, and 0.25 is one half, halved.",
            screen="distribution",
            answer=2,
            unit="bits",
        ),
        OrderQuestion(
            id="loop",
            ask="In which order does it go?",
            hint="Nothing can be drawn before there is something to draw from.",
            why="Read, compute, draw, append; then from the beginning.",
            screen="again",
            items=("read the text", "compute the distribution", "draw a token", "append it"),
        ),
        TextQuestion(
            id="unit",
            ask="What is a piece of text called that the model reads as one?",
            hint="It has five letters.",
            why="A token: often a word with the space before it, often less.",
            screen="question",
            accept=("token", "a token"),
        ),
        NextTokenQuestion(
            id="capital",
            ask="How does the model continue?",
            hint="It knows its geography.",
            why="The model has read this sentence many times.",
            screen="distribution",
            prompt="The capital of France is",
            within=3,
        ),
    ),
)

COURSE = Course(lessons=(LESSON,))


class SlowCourse(Course):
    """The same course, whose lessons cannot be read before `go_on` is set; searches wait too."""

    def __init__(self) -> None:
        super().__init__(lessons=(LESSON,))
        self.begun, self.go_on = threading.Event(), threading.Event()

    def lesson(self, lesson_id: str) -> Lesson | None:
        self.begun.set()
        self.go_on.wait(30)
        return super().lesson(lesson_id)
