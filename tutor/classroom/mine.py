"""What a class report tells about oneself, in sentences that go with one's row."""

from tutor.classroom.learner import Studied
from tutor.classroom.report import FEWEST, FEWEST_ALIKE
from tutor.text import counted

YOU = "(you)"
"""Stands in one's own row, where a teacher sees a pseudonym, or with --names the name."""


def explained(mine: Studied) -> tuple[str, ...]:
    """One paragraph each."""
    ideas, answers = counted(len(mine.ideas), "idea"), counted(len(mine.first_answers), "question")
    return (
        "This is all that the report tells a teacher about you: under a pseudonym, or with --names "
        "under your name.",
        f"Besides, your first answers (to {answers} so far) and how well you know each idea "
        f"({ideas} so far) count in figures about the whole class. Such a figure is told for "
        f"{FEWEST} learners or more, a mistake where at least {FEWEST_ALIKE} made it.",
        "Later answers, what you write in labs and chats, and at what time of day you work are not "
        "in it. Whoever may read your folder can read those too: that is up to the host of this "
        "machine.",
    )
