"""The goals of the "A against B" lab."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Literal

from tutor.labs.difference.questions import FEED_FORWARD
from tutor.labs.difference.state import State
from tutor.labs.kit.lab import goal
from tutor.labs.kit.next_tokens.row import NextRow

FEW_PLACES = 4
ONE_BIT = 1.0
HARDLY = 0.1


def top_kept(rows: tuple[NextRow, ...]) -> bool:
    """Return True if the most probable token of A is also the most probable token of B."""
    return bool(rows) and _top(rows, 0).token == _top(rows, 1).token


def _top(rows: tuple[NextRow, ...], side: Literal[0, 1]) -> NextRow:
    return max(rows, key=lambda row: (row.before, row.after)[side])


@goal("diverge", "Change a word of B (e), and go to the token after which it diverges most")
def _diverge(state: State) -> bool:
    """Return True if the position where the learner's own text diverges most is selected."""
    own = state.view == "prompt" and state.b != State().b
    if not own or not state.complete or len(state.places) < FEW_PLACES:
        return False
    return state.compared[state.largest].bits > 0 and state.at == state.largest


@goal(
    "sampler",
    "Change only the sampler so that A and B diverge by 1 bit or more, but not by ∞, and have "
    "the same top token",
)
def _sampler(state: State) -> bool:
    here = state.here
    if state.view != "sampler" or here is None:
        return False
    return ONE_BIT <= here.bits < math.inf and top_kept(here.rows)


@goal(
    "one-position",
    "Go to a token (p/n) and switch off one head (b) so that A and B diverge by 1 bit or more "
    "there, but by less than 0.1 bits on average after the other tokens",
)
def _one_position(state: State) -> bool:
    """Return True if switching off one head has a large effect at only one position.

    The effect must be at least 1 bit there, and its mean at the other positions less than 0.1 bits.
    """
    heads = [part for part in state.parts if part.head != FEED_FORWARD]
    if state.view != "parts" or len(state.parts) != 1 or not heads or not state.complete:
        return False
    bits = [each.bits for each in state.compared]
    largest = bits.pop(state.largest)
    return len(bits) >= FEW_PLACES and largest >= ONE_BIT and fmean(bits) < HARDLY


GOALS = (_diverge, _sampler, _one_position)
