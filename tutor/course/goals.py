"""Check which goals of a lab have been reached on the live model."""

from collections.abc import Mapping, Set

import msgspec

from tutor.course.lesson import (
    Branched,
    EntropyAbove,
    EntropyBelow,
    Goal,
    KeptAtMost,
    Lab,
    LiveGoal,
    PromptChanged,
    ReachedEnd,
    TextHas,
    TokenAbove,
    TokenBelow,
    TookRankAtLeast,
    TopTokenAbove,
    TopTokenBelow,
)
from tutor.labs.kit import registry
from tutor.language import _
from tutor.text import visible


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of the stepper after one of the learner's actions.

    These fields describe the distribution on screen (softmax without sampler settings). They are
    None or empty if the screen shows no distribution:

    - `top_probability`: the probability of the most probable token
    - `entropy_bits`: the entropy in bits
    - `shares`: the probabilities of the tokens in the list, by their text on screen (`␣Paris`)
    - `unlisted`: an upper bound for the probability of any other token
    - `kept`: the number of tokens that the sampler keeps

    These fields describe the text:

    - `taken_rank`: the rank of the token that the learner has just taken by hand, or None if the
      model sampled the token or there is none
    - `branch_lengths`: the number of tokens in each branch, after the prompt or after the position
      where it branches off
    - `written`: the text after the prompt (in a conversation, after the last message)
    - `ended`: True if this text ends with the model's end token
    - `prompt_changed`: True if the prompt differs from the lab's prompt

    `live` contains the names of the goals that the learner has reached in a lab of `tutor.labs`.
    """

    top_probability: float | None = None
    entropy_bits: float | None = None
    shares: Mapping[str, float] = {}
    unlisted: float = 1.0
    kept: int | None = None
    taken_rank: int | None = None
    branch_lengths: tuple[int, ...] = ()
    written: str = ""
    ended: bool = False
    prompt_changed: bool = False
    live: frozenset[str] = frozenset()


def reached(goal: Goal, evidence: Evidence) -> bool:
    """Return True if `evidence` shows that the learner has reached `goal`."""
    match goal:
        case TopTokenBelow(probability=limit):
            return evidence.top_probability is not None and evidence.top_probability < limit
        case TopTokenAbove(probability=limit):
            return evidence.top_probability is not None and evidence.top_probability > limit
        case TookRankAtLeast(rank=rank):
            return evidence.taken_rank is not None and evidence.taken_rank >= rank
        case Branched(count=count, tokens=tokens):
            return sum(length >= tokens for length in evidence.branch_lengths) >= count
        case TextHas(text=text):
            return text.casefold() in evidence.written.casefold()
        case TokenAbove(token=token, probability=limit):
            return evidence.shares.get(as_shown(token), 0.0) > limit
        case TokenBelow(token=token, probability=limit):
            return evidence.shares.get(as_shown(token), evidence.unlisted) < limit
        case EntropyAbove(bits=limit):
            return evidence.entropy_bits is not None and evidence.entropy_bits > limit
        case EntropyBelow(bits=limit):
            return evidence.entropy_bits is not None and evidence.entropy_bits < limit
        case KeptAtMost(count=count):
            return evidence.kept is not None and evidence.kept <= count
        case PromptChanged():
            return evidence.prompt_changed
        case ReachedEnd():
            return evidence.ended
        case LiveGoal(name=wanted):
            return wanted in evidence.live


def as_shown(token: str) -> str:
    """Return a token from a lesson file as the screen shows it: " Paris" becomes "␣Paris"."""
    return visible(token.encode())


def goals_reached(lab: Lab, evidence: Evidence, before: Set[int] = frozenset()) -> frozenset[int]:
    """Return the indexes in `lab.goals` of all goals that have been reached so far.

    `before` contains the indexes of goals that were reached earlier, and stay reached. A lab is
    done when all its goals are reached.
    """
    now = {index for index, goal in enumerate(lab.goals) if reached(goal, evidence)}
    return frozenset(before | now)


OTHER_GOALS = _("Other goals of this lab, not asked for here:")
"""The heading of the goals of a lab that the lesson screen does not ask for."""


def name(goal: Goal) -> str:
    """Return the name of a goal in stored progress: its kind and its numbers ("took-rank 50").

    The name does not depend on the position of the goal in the list. If the numbers of a goal
    change, it counts as a different goal.
    """
    figures = (getattr(goal, field) for field in goal.__struct_fields__)
    said = (figure if isinstance(figure, str) else f"{figure:g}" for figure in figures)
    return " ".join((str(goal.__struct_config__.tag), *said))


def description(goal: Goal, lab: Lab) -> str:
    """Return a short description of a goal, for a list of goals."""
    match goal:
        case TopTokenBelow(probability=limit):
            return _("Find a step whose top token has less than {limit:g} %").format(
                limit=100 * limit
            )
        case TopTokenAbove(probability=limit):
            return _("Find a step whose top token has more than {limit:g} %").format(
                limit=100 * limit
            )
        case TookRankAtLeast(rank=rank):
            return _("Choose a token of rank {rank} or worse by hand").format(rank=rank)
        case Branched(count=count, tokens=tokens) if lab.kind == "chat":
            return _("Get {count} answers of at least {tokens} tokens").format(
                count=count, tokens=tokens
            )
        case Branched(count=count, tokens=1):
            return _("Create {count} branches").format(count=count)
        case Branched(count=count, tokens=tokens):
            return _("Create {count} branches of at least {tokens} tokens").format(
                count=count, tokens=tokens
            )
        case TextHas(text=text):
            return _("Make the text contain “{text}”").format(text=text)
        case TokenAbove(token=token, probability=limit):
            return _("Find a step where {token} is above {limit:g} %").format(
                token=as_shown(token), limit=100 * limit
            )
        case TokenBelow(token=token, probability=limit):
            return _("Find a step where {token} is below {limit:g} %").format(
                token=as_shown(token), limit=100 * limit
            )
        case EntropyAbove(bits=limit):
            return _("Find a step with an entropy above {limit:g} bits").format(limit=limit)
        case EntropyBelow(bits=limit):
            return _("Find a step with an entropy below {limit:g} bits").format(limit=limit)
        case KeptAtMost(count=1):
            return _("Set the sampler to keep only one token")
        case KeptAtMost(count=count):
            return _("Set the sampler to keep at most {count:,} tokens").format(count=count)
        case PromptChanged():
            return _("Write your own prompt")
        case ReachedEnd():
            return _("Continue until the model ends the text")
        case LiveGoal(name=wanted):
            known = registry.find(lab.live).goal(wanted)
            return known.says if known else wanted
