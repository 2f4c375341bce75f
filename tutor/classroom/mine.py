"""Explain to a learner what a class report says about them."""

from tutor.classroom.learner import Studied
from tutor.classroom.report import FEWEST, FEWEST_ALIKE
from tutor.text import counted

YOU = "(you)"
"""The name in a learner's own row, where a teacher sees a pseudonym, or the name with --names."""


def explained(mine: Studied) -> tuple[str, ...]:
    """Return the explanation, one paragraph per item."""
    ideas, answers = counted(len(mine.ideas), "idea"), counted(len(mine.first_answers), "question")
    return (
        "This is all that the report tells a teacher about you, under a pseudonym or, with "
        "--names, under your name.",
        f"In addition, your first answers (to {answers} so far) and how well you know each idea "
        f"({ideas} so far) count in figures about the whole class. The report only shows a figure "
        f"about {FEWEST} learners or more, and a mistake that at least {FEWEST_ALIKE} made.",
        "The report does not contain your later answers, what you write in labs and chats, or the "
        "times of day when you work. Anyone who can read your folder can read those as well; the "
        "host of this machine decides who that is.",
    )
