"""What a class report tells about oneself, in sentences that go with one's row."""

from __future__ import annotations

from tutor.classroom.learner import Studied
from tutor.classroom.report import FEWEST, FEWEST_ALIKE
from tutor.text import counted

YOU = "(you)"
"""Stands in one's own row, where a teacher sees a pseudonym, or with --names the name."""


def explained(mine: Studied) -> tuple[str, ...]:
    """One paragraph each."""
    ideas, answers = len(mine.ideas), len(mine.first_answers)
    return (
        "This is all that the report tells a teacher about you: under a pseudonym, or with --names "
        "under your name.",
        f"Besides, {counted(ideas, 'idea')} that you have begun and the first answers that you "
        f"gave to {counted(answers, 'question')} count in figures about the whole class. These are "
        f"told for {FEWEST} learners or more; a mistake is told where at least {FEWEST_ALIKE} made "
        "it.",
        "Later answers, what you write in labs and chats, and when you work are not in it. Whoever "
        "may read your folder can read those too: that is up to the host of this machine.",
    )
