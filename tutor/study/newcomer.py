"""Recognize new learners, who see the tour first."""

from tutor.learner.state import LearnerState

TOUR_SEEN = "tour.seen"
"""The setting that is stored when the learner has seen or skipped the tour."""


def is_newcomer(state: LearnerState) -> bool:
    """Return True if the learner has no progress and has not seen the tour."""
    progress = state.lessons or state.cards or state.guesses.rounds
    return not progress and TOUR_SEEN not in state.settings
