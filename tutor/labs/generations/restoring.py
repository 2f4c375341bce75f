"""Restore the rules, the intents and the conversation from an earlier session."""

from __future__ import annotations

from msgspec.structs import replace

from tutor.bots import rules
from tutor.bots.bank import MOST_OWN, own_intent
from tutor.bots.files import shipped_probes
from tutor.bots.probes import BOTS, KINDS
from tutor.bots.rules import MOST_RULES, Rule
from tutor.labs.generations.questions import Own
from tutor.labs.generations.state import LONGEST, MOST_TURNS, State, Turn, Written
from tutor.labs.kit.actions import moved
from tutor.labs.kit.work import Refused, work


def _rules(restored: tuple[Rule, ...]) -> tuple[Rule, ...]:
    if len(restored) > MOST_RULES:
        raise Refused
    for rule in restored:
        rules.check(rule)
    return restored


def _own(restored: Own) -> Own:
    """Check the restored intents as if the learner had just written them, and return them.

    The check doesn't use the bundled intents, because loading those would delay the opening of the
    lab.
    """
    if len(restored) > MOST_OWN:
        raise Refused
    checked: Own = ()
    for intent, entry in restored:
        taken = frozenset(each.name for each, _ in checked)
        line = f"{intent.name}: {'; '.join(intent.phrases)} = {entry.answer}"
        checked = (*checked, own_intent(line, taken))
    return checked


def _turns(restored: tuple[Turn, ...]) -> tuple[Turn, ...]:
    messages = [turn.message for turn in restored]
    if not all(0 < len(each) <= LONGEST and each == " ".join(each.split()) for each in messages):
        raise Refused
    return restored[-MOST_TURNS:]


def _bare(state: State) -> State:
    """Return the state with only the parts of the conversation that are worth saving.

    These are the messages, and the generated replies to all but the last message. The last message
    is sent again, because its replies may be outdated. The earlier replies are part of the
    conversation that the generative bot processes.
    """
    return replace(state, turns=tuple(_bare_turn(turn, state) for turn in state.turns))


def _bare_turn(turn: Turn, state: State) -> Turn:
    seed = max(0, turn.seed)
    if turn == state.turn:
        return Turn(message=turn.message, seed=seed, written=Written(state.limits.length))
    tokens = turn.written.tokens[: state.limits.length]
    said = Written(state.limits.length, tokens=tokens, ended=True)
    return Turn(message=turn.message, seed=seed, written=said, cut=True)


def _mended(state: State) -> State:
    state = replace(_bare(state), rule=moved(state.rule, 0, len(state.rules)))
    if not state.probe:
        return state
    return replace(state, probe=moved(state.probe, 0, len(shipped_probes().of(KINDS[state.kind]))))


WORK = work(
    *("view", "rule", "written_rules", "missed", "seed", "predictions", "probe"),
    turns=_turns,
    bot=len(BOTS),
    rules=_rules,
    sentence=LONGEST,
    own=_own,
    kind=len(KINDS),
    mend=_mended,
    bare=_bare,
)
