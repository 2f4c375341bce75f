"""Explain to a learner what a class report shows about them."""

from tutor.classroom.learner import Studied
from tutor.classroom.report import FEWEST, FEWEST_ALIKE
from tutor.text import counted

YOU = "(you)"
"""The name in a learner's own row.

The teacher sees a pseudonym instead, or the learner's name with --names.
"""


def explained(mine: Studied) -> tuple[str, ...]:
    """Return the explanation as a sequence of paragraphs."""
    ideas, answers = counted(len(mine.ideas), "idea"), counted(len(mine.first_answers), "question")
    return (
        "This row is everything that the report shows about you. Your teacher sees it under a "
        "pseudonym or, with --names, under your name.",
        f"Figures about the whole class also include your first answers (to {answers} so far) and "
        f"how well you know each idea ({ideas} so far). The report shows a figure only if it is "
        f"about at least {FEWEST} learners, and a mistake only if at least {FEWEST_ALIKE} made it.",
        "The report does not contain your later answers, what you write in labs and chats, or the "
        "times of day when you work. But anyone who can read your folder can read these as "
        "well. The administrator of this machine decides who can.",
    )
