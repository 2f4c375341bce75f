"""What a lab asks to bring about, checked on what the live model did."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from tutor.course.lesson import Branched, Goal, Lab, TookRankAtLeast, TopTokenAbove, TopTokenBelow


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen after one thing that the learner did in the stepper.

    `top_probability` is that of the most probable token of the distribution on screen (the plain
    softmax), None while there is none. `taken_rank` is the rank, before the token was taken, of
    the token that the learner has just taken by hand, None when nothing was taken or the model's
    own draw was. `branch_lengths` holds, for each branch of the tree, how many tokens it has of
    its own: after the prompt, or after the fork where it left another branch.
    """

    top_probability: float | None = None
    taken_rank: int | None = None
    branch_lengths: tuple[int, ...] = ()


def reached(goal: Goal, evidence: Evidence) -> bool:
    """Whether `evidence` shows that `goal` is reached."""
    match goal:
        case TopTokenBelow(probability=limit):
            return evidence.top_probability is not None and evidence.top_probability < limit
        case TopTokenAbove(probability=limit):
            return evidence.top_probability is not None and evidence.top_probability > limit
        case TookRankAtLeast(rank=rank):
            return evidence.taken_rank is not None and evidence.taken_rank >= rank
        case Branched(count=count, tokens=tokens):
            return sum(length >= tokens for length in evidence.branch_lengths) >= count


def goals_reached(lab: Lab, evidence: Evidence, before: Set[int] = frozenset()) -> frozenset[int]:
    """The places in `lab.goals` reached so far: those reached `before`, and those reached now.

    A lab is done when all of them are; a goal once reached stays reached.
    """
    now = {index for index, goal in enumerate(lab.goals) if reached(goal, evidence)}
    return frozenset(before | now)


def name(goal: Goal) -> str:
    """What progress calls the goal: its kind and its figures ("took-rank 50"). A goal that asks
    for something else is another goal; its place among the others says nothing."""
    figures = (getattr(goal, field) for field in goal.__struct_fields__)
    return " ".join((str(goal.__struct_config__.tag), *(f"{figure:g}" for figure in figures)))


def description(goal: Goal) -> str:
    """What the goal is, in a few words for a list of goals."""
    match goal:
        case TopTokenBelow(probability=limit):
            return f"a step whose top token is below {100 * limit:g} %"
        case TopTokenAbove(probability=limit):
            return f"a step whose top token is above {100 * limit:g} %"
        case TookRankAtLeast(rank=rank):
            return f"a token of rank {rank} or worse, taken by you"
        case Branched(count=count, tokens=1):
            return f"{count} branches"
        case Branched(count=count, tokens=tokens):
            return f"{count} branches of {tokens} tokens or more"
