"""What a lab asks to bring about, checked on what the live model did."""

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
from tutor.text import visible


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen after one thing that the learner did in the stepper.

    Of the distribution on screen (the plain softmax), None or empty while there is none:
    `top_probability` is that of the most probable token, `entropy_bits` its entropy, `shares` the
    probabilities of the tokens that are listed, as they are shown (`␣Paris`), and no other token
    has more than `unlisted`. `kept` is how many tokens the sampler leaves to draw from.

    `taken_rank` is the rank, before the token was taken, of the token that the learner has just
    taken by hand, None when nothing was taken or the model's own draw was. `branch_lengths` holds,
    for each branch of the tree, how many tokens it has of its own: after the prompt, or after the
    fork where it left another branch.

    `written` is the text after the prompt (after the last message of a conversation), `ended`
    whether it ends with the model's token for the end, `prompt_changed` whether the prompt is
    another one than the lab's. `live` names the goals that hold in a lab of `tutor.labs`.
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
    """A token of a lesson file as it is shown on the screen: " Paris" is "␣Paris"."""
    return visible(token.encode())


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
    said = (figure if isinstance(figure, str) else f"{figure:g}" for figure in figures)
    return " ".join((str(goal.__struct_config__.tag), *said))


def description(goal: Goal, lab: Lab) -> str:
    """What the goal of this lab is, in a few words for a list of goals."""
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
        case TextHas(text=text):
            return f"a text with “{text}” in it"
        case TokenAbove(token=token, probability=limit):
            return f"{as_shown(token)} above {100 * limit:g} %"
        case TokenBelow(token=token, probability=limit):
            return f"{as_shown(token)} below {100 * limit:g} %"
        case EntropyAbove(bits=limit):
            return f"an entropy above {limit:g} bits"
        case EntropyBelow(bits=limit):
            return f"an entropy below {limit:g} bits"
        case KeptAtMost(count=1):
            return "a sampler that keeps one token"
        case KeptAtMost(count=count):
            return f"a sampler that keeps at most {count:,} tokens"
        case PromptChanged():
            return "a prompt of your own"
        case ReachedEnd():
            return "the end of the text, chosen by the model"
        case LiveGoal(name=wanted):
            known = registry.find(lab.live).goal(wanted)
            return known.says if known else wanted
