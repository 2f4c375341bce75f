"""One message to three bots: rules, retrieval, generation. Each answer comes with what led to it.

The bots can be worked on: rules written and thrown away, an intent added and the network trained
anew. And they can be compared: the same messages to all three, and the same criteria.

No bot remembers more than is said here. Rules know how often each of them has spoken, retrieval
sees the last message alone, and the generative model reads the whole conversation.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from tutor.bots import rules
from tutor.bots.bank import MOST_OWN, Bank, Entry, Intent, RetrievalReply, own_intent, with_own
from tutor.bots.files import shipped_bank, shipped_probes, shipped_rules
from tutor.bots.pattern import folded, words_of
from tutor.bots.probes import BOTS, KINDS, Bot, Kind, declines, is_right
from tutor.bots.rules import MOST_RULES, Fit, Rule, RuleBook, RuleReply
from tutor.errors import BotError, LabError
from tutor.labs.bot_probes import CASES, Case, Result, next_case
from tutor.labs.lab import Goal, Lab
from tutor.lm.distribution import ChatMessage, SamplerSettings, Token

PARTS = ("chat", "rules", "intents", "probes", "table")
LONGEST = 200
"""Characters of a message; of a longer one the beginning counts."""
MOST_TURNS = 20
"""Turns of a conversation that are kept."""
LENGTH = 60
"""Tokens of a generated answer."""
PROBE_LENGTH = 32
"""The same where a probe is run: what the answer is about has been said by then."""
GREEDY = SamplerSettings(temperature=0)
SENSIBLE = SamplerSettings(temperature=0.6, top_p=0.9)
"""How the model draws where other luck is asked for."""
KEPT = 3
"""So many held-out phrases fewer than before still count as accuracy kept: two trainings from
different seeds differ by as much."""


# --- what the learner does ------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True, tag_field="do", tag="part"):
    """Another part of the lab."""

    by: int


class Say(msgspec.Struct, frozen=True, tag_field="do", tag="say"):
    """The next message of the conversation."""

    text: str


class Again(msgspec.Struct, frozen=True, tag_field="do", tag="again"):
    """The same message once more; `luck`: and the generative model draws, instead of taking the
    most probable token each time."""

    luck: bool = False


class Anew(msgspec.Struct, frozen=True, tag_field="do", tag="anew"):
    """Another conversation."""


class Look(msgspec.Struct, frozen=True, tag_field="do", tag="look"):
    """The bot so many further on."""

    by: int


class Move(msgspec.Struct, frozen=True, tag_field="do", tag="move"):
    """So many rows down: tokens, rules, intents or kinds of probes, whatever is shown."""

    by: int


class Sentence(msgspec.Struct, frozen=True, tag_field="do", tag="sentence"):
    """A sentence to hold against the rules."""

    text: str


class PutRule(msgspec.Struct, frozen=True, tag_field="do", tag="put-rule"):
    """A rule, in one line; in place of the one of this name, where there is one."""

    line: str
    instead: str = ""


class DropRule(msgspec.Struct, frozen=True, tag_field="do", tag="drop-rule"):
    """Throw away the rule that is looked at."""


class ShippedRules(msgspec.Struct, frozen=True, tag_field="do", tag="shipped-rules"):
    """The rules as they were to begin with."""


class AddIntent(msgspec.Struct, frozen=True, tag_field="do", tag="add-intent"):
    """An intent with its answer, in one line."""

    line: str


class DropIntent(msgspec.Struct, frozen=True, tag_field="do", tag="drop-intent"):
    """Throw away the intent that is looked at, if it is the learner's own."""


class Train(msgspec.Struct, frozen=True, tag_field="do", tag="train"):
    """Train the network from the start; trained already: from another seed."""


class Predict(msgspec.Struct, frozen=True, tag_field="do", tag="predict"):
    """Another bot is expected to break first in the kind that is looked at."""

    by: int


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Run the probes, or stop."""


class NextProbe(msgspec.Struct, frozen=True, tag_field="do", tag="next-probe"):
    """Another probe of the kind that is looked at."""

    by: int


Action = (
    Part | Say | Again | Anew | Look | Move | Sentence | PutRule | DropRule | ShippedRules
    | AddIntent | DropIntent | Train | Predict | Run | NextProbe
)  # fmt: skip


# --- what is asked of the engine ------------------------------------------------------------------

Own = tuple[tuple[Intent, Entry], ...]


class AskRules(msgspec.Struct, frozen=True, tag=True):
    """The answer of these rules to the last of the visitor's messages."""

    rules: tuple[Rule, ...]
    messages: tuple[str, ...]
    case: Case | None = None


class AskTraining(msgspec.Struct, frozen=True, tag=True):
    """Train a moment longer, on the shipped intents and these."""

    own: Own
    seed: int
    done: int


class AskRetrieval(msgspec.Struct, frozen=True, tag=True):
    own: Own
    seed: int
    message: str
    case: Case | None = None


class AskGeneration(msgspec.Struct, frozen=True, tag=True):
    """Go on with an answer that begins with the tokens `written`; `luck` 0 takes the most probable
    token each time, any other is the seed of the draws."""

    messages: tuple[ChatMessage, ...]
    written: tuple[int, ...]
    luck: int
    length: int
    case: Case | None = None


Question = AskRules | AskTraining | AskRetrieval | AskGeneration


class SaidByRules(msgspec.Struct, frozen=True, tag=True):
    reply: RuleReply
    milliseconds: float


class Trained(msgspec.Struct, frozen=True, tag=True):
    """Where the network stands after so many steps: their losses in nats, how many of the phrases
    held out it gets right, and those that it gets wrong (phrase, intent, what it was taken for).
    `seconds` of work so far."""

    losses: tuple[float, ...]
    total: int
    right: int
    of: int
    wrong: tuple[tuple[str, str, str], ...]
    seconds: float

    @property
    def finished(self) -> bool:
        return len(self.losses) >= self.total


class SaidByRetrieval(msgspec.Struct, frozen=True, tag=True):
    reply: RetrievalReply
    milliseconds: float


class Chosen(msgspec.Struct, frozen=True, array_like=True):
    """A token that was written, with its probability and its rank before any sampler."""

    token: Token
    probability: float
    rank: int


class Generated(msgspec.Struct, frozen=True, tag=True):
    """What comes after the tokens that were there. `prompt` is the conversation, as the model reads
    it; `ended`: the model ended its answer. `weights` is how many numbers the model consists of."""

    prompt: tuple[Token, ...]
    written: tuple[Chosen, ...]
    ended: bool
    milliseconds: float
    weights: int


Answer = SaidByRules | Trained | SaidByRetrieval | Generated


# --- the state ------------------------------------------------------------------------------------


class Written(msgspec.Struct, frozen=True):
    """A generated answer, as far as it is there."""

    prompt: tuple[Token, ...] = ()
    tokens: tuple[Chosen, ...] = ()
    ended: bool = False
    milliseconds: float = 0.0

    @property
    def text(self) -> str:
        data = b"".join(each.token.data for each in self.tokens if not each.token.special)
        return data.decode("utf-8", "replace")

    def done(self, length: int) -> bool:
        return self.ended or len(self.tokens) >= length


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and the replies that are there; `cut`: the model is not to go on any more."""

    message: str
    luck: int = 0
    rules: SaidByRules | None = None
    retrieval: SaidByRetrieval | None = None
    written: Written = Written()
    cut: bool = False

    @property
    def owes_generation(self) -> bool:
        return not self.cut and not self.written.done(LENGTH)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`trained` is about the intents `own` and the `seed`; `first_right` what the network reached
    on the shipped intents alone. `missed` are messages that no rule fitted. `results` are those of
    the probes, `begun` what the model has written of the answer to the next one, `weights` what is
    known of the model's size."""

    part: int = 0
    turns: tuple[Turn, ...] = ()
    bot: int = 0
    token: int = 0
    rules: tuple[Rule, ...]
    rule: int = 0
    sentence: str = "My parrot ate my library card."
    written_rules: int = 0
    missed: frozenset[str] = frozenset()
    own: Own = ()
    intent: int = 0
    seed: int = 1
    training: bool = False
    trained: Trained | None = None
    first_right: int | None = None
    predictions: dict[Kind, Bot] = {}
    kind: int = 0
    probe: int = 0
    running: bool = False
    results: dict[Case, Result] = {}
    begun: Written = Written()
    weights: int = 0

    @property
    def book(self) -> RuleBook:
        return msgspec.structs.replace(shipped_rules(), rules=self.rules)

    @property
    def bank(self) -> Bank:
        return with_own(shipped_bank(), self.own)

    @property
    def turn(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    @property
    def rules_shown(self) -> tuple[Rule, ...]:
        """In the order in which they are tried."""
        return tuple(sorted(self.rules, key=lambda rule: -rule.priority))

    @property
    def fits(self) -> dict[str, Fit]:
        """How rules fit the sentence, by name; the first one would speak."""
        return {fit.rule: fit for fit in rules.fits(self.book, self.sentence)}

    @property
    def ready(self) -> bool:
        """Whether the network is trained for the intents that there are."""
        return self.trained is not None and self.trained.finished


def conversation(turns: tuple[Turn, ...]) -> tuple[ChatMessage, ...]:
    """What the generative model reads: every message, and what it wrote itself."""
    said: list[ChatMessage] = []
    for turn in turns[:-1]:
        said.append(ChatMessage("user", turn.message))
        said.append(ChatMessage("assistant", turn.written.text))
    return (*said, ChatMessage("user", turns[-1].message))


def start() -> State:
    return State(rules=shipped_rules().rules)


def act(state: State, action: Action) -> State:
    match action:
        case Part(by):
            return _replace(state, part=(state.part + by) % len(PARTS))
        case Say() | Again() | Anew() | Look():
            return _talk(state, action)
        case Move(by):
            return _move(state, by)
        case Sentence() | PutRule() | DropRule() | ShippedRules():
            return _change_rules(state, action)
        case AddIntent() | DropIntent() | Train():
            return _change_intents(state, action)
        case Predict() | Run() | NextProbe():
            return _probe(state, action)


def _replace(state: State, **changes: Any) -> State:
    return msgspec.structs.replace(state, **changes)


def _talk(state: State, action: Say | Again | Anew | Look) -> State:
    match action:
        case Say(text):
            message = " ".join(text.split())[:LONGEST]
            if not message:
                raise LabError("There is nothing to ask.", "Write at least one word.")
            before = tuple(msgspec.structs.replace(turn, cut=True) for turn in state.turns)
            turns = (*before, Turn(message=message))[-MOST_TURNS:]
            return _replace(state, turns=turns, token=0, sentence=message)
        case Again(luck):
            if state.turn is None:
                raise LabError("Nothing has been asked yet.", "Write a message first.")
            turn = Turn(message=state.turn.message, luck=state.turn.luck + 1 if luck else 0)
            return _replace(state, turns=(*state.turns[:-1], turn), token=0)
        case Anew():
            return _replace(state, turns=(), token=0)
        case Look(by):
            return _replace(state, bot=(state.bot + by) % len(BOTS))


def _move(state: State, by: int) -> State:
    def moved(at: int, count: int) -> int:
        return min(max(0, at + by), max(0, count - 1))

    match PARTS[state.part]:
        case "chat":
            count = len(state.turn.written.tokens) if state.turn else 0
            return _replace(state, token=moved(state.token, count))
        case "rules":
            return _replace(state, rule=moved(state.rule, len(state.rules)))
        case "intents":
            return _replace(state, intent=moved(state.intent, len(state.bank.intents)))
        case "probes":
            return _replace(state, kind=moved(state.kind, len(KINDS)), probe=0)
    return state


def _change_rules(state: State, action: Sentence | PutRule | DropRule | ShippedRules) -> State:
    match action:
        case Sentence(text):
            new = _replace(state, sentence=" ".join(text.split())[:LONGEST])
            speaks = next(iter(new.fits), None)
            shown = [rule.name for rule in new.rules_shown]
            return _replace(new, rule=shown.index(speaks)) if speaks else new
        case PutRule(line, instead):
            return _put_rule(state, line, instead)
        case DropRule():
            dropped = state.rules_shown[state.rule].name if state.rules else ""
            left = tuple(rule for rule in state.rules if rule.name != dropped)
            at = min(state.rule, max(0, len(left) - 1))
            return _replace(_without(state, "rules"), rules=left, rule=at)
        case ShippedRules():
            return _replace(_without(state, "rules"), rules=shipped_rules().rules, rule=0)


def _put_rule(state: State, line: str, instead: str) -> State:
    names = [rule.name for rule in state.rules]
    if instead in names:
        rule = rules.written(line, instead)
        at = names.index(instead)
        new = (*state.rules[:at], rule, *state.rules[at + 1 :])
        count = state.written_rules
    else:
        if len(names) >= MOST_RULES:
            raise BotError(f"There are {MOST_RULES} rules.", "Throw one away first.")
        count = state.written_rules + 1
        rule = rules.written(line, f"yours-{count}")
        new = (rule, *state.rules)  # above the others of its priority
    new_state = _replace(_without(state, "rules"), rules=new, written_rules=count)
    shown = [each.name for each in new_state.rules_shown]
    return _replace(new_state, rule=shown.index(rule.name))


def _change_intents(state: State, action: AddIntent | DropIntent | Train) -> State:
    own = state.own
    match action:
        case AddIntent(line):
            if len(own) >= MOST_OWN:
                raise BotError(f"You have added {MOST_OWN} intents.", "Throw one away first.")
            taken = frozenset(intent.name for intent in state.bank.intents)
            own = (*own, own_intent(line, taken))
            at = len(state.bank.intents)
            new = _replace(_without(state, "retrieval"), own=own, intent=at)
            return _replace(new, trained=None, training=True)
        case DropIntent():
            chosen = state.bank.intents[state.intent]
            if not chosen.own:
                raise BotError("This intent came with the lab.", "Only your own can be removed.")
            own = tuple(each for each in own if each[0].name != chosen.name)
            new = _replace(_without(state, "retrieval"), own=own, trained=None, training=False)
            return _replace(new, intent=min(state.intent, len(new.bank.intents) - 1))
        case Train():
            seed = state.seed + 1 if state.ready else state.seed
            if state.training:
                return _replace(state, training=False)
            new = _without(state, "retrieval") if state.ready else state
            trained = None if state.ready else state.trained
            return _replace(new, seed=seed, training=True, trained=trained)


def _without(state: State, bot: Bot) -> State:
    """What was measured of a bot does not hold any more when it is changed."""
    results = {case: result for case, result in state.results.items() if case.bot != bot}
    return _replace(state, results=results, running=False)


def _probe(state: State, action: Predict | Run | NextProbe) -> State:
    kind = KINDS[state.kind]
    match action:
        case Predict(by):
            if state.results:
                raise LabError(
                    "The probes have been run: a prediction would be none.",
                    "What you predicted stands in the table.",
                )
            now = state.predictions.get(kind)
            at = (BOTS.index(now) + by) % len(BOTS) if now else (0 if by > 0 else -1)
            return _replace(state, predictions=state.predictions | {kind: BOTS[at]})
        case NextProbe(by):
            return _replace(state, probe=(state.probe + by) % len(shipped_probes().of(kind)))
        case Run():
            if len(state.predictions) < len(KINDS):
                raise LabError(
                    "First say which bot will break first, in each of the six kinds.",
                    "Left and right choose a bot, up and down the kind.",
                )
            if next_case(state.results) is None:
                return _replace(state, results={}, begun=Written(), running=True)
            return _replace(state, running=not state.running)


# --- questions and answers ------------------------------------------------------------------------


def question(state: State) -> Question | None:
    turn = state.turn
    if turn is not None and turn.rules is None:
        return AskRules(state.rules, tuple(each.message for each in state.turns))
    case = next_case(state.results) if state.running else None
    waits = turn is not None and turn.retrieval is None
    if (waits or state.training or case is not None) and not state.ready:
        done = len(state.trained.losses) if state.trained else 0
        own = () if state.first_right is None else state.own  # what to compare with comes first
        return AskTraining(own, state.seed, done)
    if turn is not None and turn.retrieval is None:
        return AskRetrieval(state.own, state.seed, turn.message)
    if turn is not None and turn.owes_generation:
        ids = tuple(each.token.id for each in turn.written.tokens)
        return AskGeneration(conversation(state.turns), ids, turn.luck, LENGTH)
    return None if case is None else _probe_question(state, case)


def _probe_question(state: State, case: Case) -> Question:
    probe = shipped_probes().probes[case.probe]
    if case.bot == "rules":
        return AskRules(state.rules, (*probe.before[::2], probe.message), case)
    if case.bot == "retrieval":
        return AskRetrieval(state.own, state.seed, probe.message, case)
    before = tuple(
        ChatMessage("assistant" if at % 2 else "user", text) for at, text in enumerate(probe.before)
    )
    ids = tuple(each.token.id for each in state.begun.tokens)
    messages = (*before, ChatMessage("user", probe.message))
    return AskGeneration(messages, ids, 0, PROBE_LENGTH, case)


def heard(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case Trained():
            return _heard_training(state, answer)
        case SaidByRules(reply, milliseconds) | SaidByRetrieval(reply, milliseconds):
            assert isinstance(question, AskRules | AskRetrieval)
            if question.case is not None:
                return _result(state, question.case, reply.text, reply.declined, milliseconds)
            if isinstance(question, AskRetrieval):
                return _with_turn(state, retrieval=answer)
            missed = {_key(question.messages[-1])} if reply.declined else set()
            return _replace(_with_turn(state, rules=answer), missed=state.missed | missed)
        case Generated():
            assert isinstance(question, AskGeneration)
            return _heard_generation(_replace(state, weights=answer.weights), question, answer)


def _heard_training(state: State, answer: Trained) -> State:
    if not answer.finished:
        return _replace(state, trained=answer)
    if state.first_right is None:
        new = _replace(state, first_right=answer.right)
        if state.own:
            return _replace(new, trained=None)
        return _replace(new, trained=answer, training=False)
    first = state.first_right if state.own else answer.right
    return _replace(state, trained=answer, training=False, first_right=first)


def _heard_generation(state: State, question: AskGeneration, answer: Generated) -> State:
    if question.case is None:
        assert state.turn is not None
        return _with_turn(state, written=_longer(state.turn.written, answer))
    written = _longer(state.begun, answer)
    if not written.done(PROBE_LENGTH):
        return _replace(state, begun=written)
    declined = declines(written.text, shipped_probes().declining)
    new = _replace(state, begun=Written())
    return _result(new, question.case, written.text, declined, written.milliseconds)


def _result(state: State, case: Case, text: str, declined: bool, milliseconds: float) -> State:
    criterion = shipped_probes().probes[case.probe].criterion(case.bot)
    result = Result(text, is_right(criterion, text, declined), milliseconds)
    results = {**state.results, case: result}
    return _replace(state, results=results, running=len(results) < len(CASES))


def _with_turn(state: State, **changes: Any) -> State:
    assert state.turn is not None
    turn = msgspec.structs.replace(state.turn, **changes)
    return _replace(state, turns=(*state.turns[:-1], turn))


def _longer(written: Written, answer: Generated) -> Written:
    return Written(
        prompt=answer.prompt or written.prompt,
        tokens=(*written.tokens, *answer.written),
        ended=answer.ended,
        milliseconds=written.milliseconds + answer.milliseconds,
    )


def _key(message: str) -> str:
    return " ".join(folded(word) for word in words_of(message))


# --- goals ----------------------------------------------------------------------------------------


def _replies(state: State) -> list[tuple[str, RuleReply, RetrievalReply]]:
    return [
        (turn.message, turn.rules.reply, turn.retrieval.reply)
        for turn in state.turns
        if turn.rules is not None and turn.retrieval is not None
    ]


def _paraphrase(state: State) -> bool:
    """In words that stand neither in the phrases nor in the bank."""
    known = _shipped_words() | {_key(phrase) for each, _ in state.own for phrase in each.phrases}
    return any(
        by_rules.declined and not by_retrieval.declined and _key(message) not in known
        for message, by_rules, by_retrieval in _replies(state)
    )


@cache
def _shipped_words() -> frozenset[str]:
    bank = shipped_bank()
    phrases = {_key(phrase) for intent in bank.intents for phrase in intent.phrases}
    entries = [entry for entries in bank.answers.values() for entry in entries]
    return frozenset(phrases | {_key(asked) for entry in entries for asked in entry.asked})


def _unknown(state: State) -> bool:
    return any(
        by_retrieval.declined and len(words_of(message)) >= 3
        for message, _, by_retrieval in _replies(state)
    )


def _own_rule(state: State) -> bool:
    own = {rule.name for rule in state.rules if rule.own}
    return any(
        not by_rules.declined and by_rules.fits[0].rule in own and _key(message) in state.missed
        for message, by_rules, _ in _replies(state)
    )


def _own_intent(state: State) -> bool:
    if state.first_right is None or state.trained is None or not state.ready or not state.own:
        return False
    own = {intent.name for intent, _ in state.own}
    answered = any(
        not by_retrieval.declined and by_retrieval.nearest[0].intent in own
        for _, _, by_retrieval in _replies(state)
    )
    return answered and state.trained.right >= state.first_right - KEPT


def _compared(state: State) -> bool:
    return len(state.predictions) == len(KINDS) and len(state.results) == len(CASES)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="generations",
    title="Three generations",
    lesson="generations",
    task=(
        "Write one message to three bots and see how each comes to its answer. Then change the "
        "first two, and measure all three."
    ),
    actions=Action,
    questions=Question,
    answers=Answer,
    start=start,
    act=act,
    question=question,
    heard=heard,
    goals=(
        Goal("paraphrase", "a message that the rules miss and retrieval answers", _paraphrase),
        Goal("unknown", "a message of 3 words to which retrieval says: I don't know", _unknown),
        Goal("own-rule", "a rule of yours that answers what the rules had missed", _own_rule),
        Goal("own-intent", "an intent of yours that answers, accuracy kept", _own_intent),
        Goal("compared", "predict who breaks first, then run the probes", _compared),
    ),
    solution=(
        Say("My parrot ate my library card."),
        Anew(),
        Say("Who won the football match yesterday?"),
        Part(1),
        PutRule("60: * parrot * = Poor parrot! A new card costs 3 euros."),
        Part(-1),
        Anew(),
        Say("My parrot ate my library card."),
        AddIntent("music: do you lend records; where are the CDs; any vinyl = Upstairs, left."),
        Anew(),
        Say("Do you lend old records?"),
        Part(3),
        *(step for _ in KINDS for step in (Predict(1), Move(1))),
        Run(),
    ),
)
