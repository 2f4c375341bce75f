"""A lab that sends one message to three kinds of bots and compares their replies.

The bots are rule-based, retrieval and generative. The learner can write and delete rules, add
intents, and retrain the retrieval bot's network. Test messages, called probes, measure how well
each bot replies.

The rule-based bot remembers only the number of times it has used each rule. The retrieval bot
processes only the last message. The generative bot processes the whole conversation.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tutor.bots import rules
from tutor.bots.bank import MOST_OWN, own_intent
from tutor.bots.errors import BotError
from tutor.bots.files import shipped_probes, shipped_rules
from tutor.bots.probes import BOTS, KINDS, Bot, declines, is_right
from tutor.bots.rules import MOST_RULES
from tutor.errors import LabError
from tutor.labs.generations import actions, goals, questions, restoring
from tutor.labs.generations.actions import Action
from tutor.labs.generations.probes import CASES, Case, Result, next_case
from tutor.labs.generations.questions import Answer, Question
from tutor.labs.generations.state import (
    LIMITS,
    LONGEST,
    MOST_TURNS,
    Limits,
    State,
    Turn,
    Written,
    conversation,
    in_words,
)
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView, moved
from tutor.labs.kit.lab import Lab
from tutor.labs.kit.results import ModelResults
from tutor.language import _
from tutor.lm.distribution import ChatMessage, SamplerSettings

GREEDY = SamplerSettings(temperature=0)
SENSIBLE = SamplerSettings(temperature=0.6, top_p=0.9)
"""The sampler settings for replies with a new seed."""


def start(limits: Limits = LIMITS) -> State:
    begun = Written(limits.probe_length)
    return State(rules=shipped_rules().rules, limits=limits, begun=begun)


def act(state: State, action: Action) -> State:
    match action:
        case ShowView(view=view):
            return _replace(state, view=view)
        case MoveFocus(by=by, axis=axis):
            return _focused(state, axis, by)
        case actions.SendMessage(text=text):
            return _send(state, text)
        case actions.AskAgain(new_seed=new_seed):
            return _ask_again(state, new_seed)
        case actions.NewConversation():
            return _replace(state, turns=(), token=0)
        case EditText(text=text):
            return _try_rules(state, text)
        case actions.PutRule(line=line, instead=instead):
            return _put_rule(state, line, instead)
        case actions.DropRule():
            return _drop_rule(state)
        case actions.RestoreRules():
            return _restore_rules(state)
        case actions.AddIntent(line=line):
            return _add_intent(state, line)
        case actions.DropIntent():
            return _drop_intent(state)
        case actions.Train():
            return _train(state)
        case Choose(by=by):
            return _predict(state, by)
        case Run():
            return _run_probes(state)


def _replace(state: State, **changes: Any) -> State:
    return msgspec.structs.replace(state, **changes)


def _send(state: State, text: str) -> State:
    message = " ".join(text.split())[:LONGEST]
    if not message:
        raise LabError("The message is empty.", "Write at least one word.")
    before = tuple(msgspec.structs.replace(turn, cut=True) for turn in state.turns)
    turn = Turn(message=message, written=Written(state.limits.length))
    new = _replace(state, turns=(*before, turn)[-MOST_TURNS:], token=0)
    return _try_rules(new, message)


def _ask_again(state: State, new_seed: bool) -> State:
    if state.turn is None:
        raise LabError("There is no message to send again.", "Press e to write one.")
    last = state.turn.written
    turn = Turn(
        message=state.turn.message,
        seed=state.turn.seed + 1 if new_seed else 0,
        written=Written(state.limits.length),
        before=last.text if last.done else state.turn.before,
    )
    return _replace(state, turns=(*state.turns[:-1], turn), token=0)


def _focused(state: State, axis: actions.Axis, by: int) -> State:
    match axis:
        case "bot":
            return _replace(state, bot=(state.bot + by) % len(BOTS))
        case "probe":
            count = len(shipped_probes().of(KINDS[state.kind]))
            return _replace(state, probe=(state.probe + by) % count)
        case "row":
            return _other_row(state, by)


def _other_row(state: State, by: int) -> State:
    match state.view:
        case "chat":
            count = len(state.turn.written.tokens) if state.turn else 0
            return _replace(state, token=moved(state.token, by, count))
        case "rules":
            return _replace(state, rule=moved(state.rule, by, len(state.rules)))
        case "intents":
            return _replace(state, intent=moved(state.intent, by, len(state.bank.intents)))
        case "probes":
            return _replace(state, kind=moved(state.kind, by, len(KINDS)), probe=0)
        case "table":
            return state


def _try_rules(state: State, sentence: str) -> State:
    """Test the rules on a sentence, and select the rule that answers it."""
    new = _replace(state, sentence=" ".join(sentence.split())[:LONGEST])
    speaks = next(iter(new.fits), None)
    shown = [rule.name for rule in new.rules_shown]
    return _replace(new, rule=shown.index(speaks)) if speaks else new


def _drop_rule(state: State) -> State:
    dropped = state.rules_shown[state.rule].name if state.rules else ""
    left = tuple(rule for rule in state.rules if rule.name != dropped)
    return _replace(_without(state, "rules"), rules=left, rule=moved(state.rule, 0, len(left)))


def _restore_rules(state: State) -> State:
    return _replace(_without(state, "rules"), rules=shipped_rules().rules, rule=0)


def _reset_rules(state: State) -> State | None:
    if state.view != "rules" or state.rules == shipped_rules().rules:
        return None
    return _restore_rules(state)


def lost(before: State, after: State) -> str:
    """Return a sentence about what an action has removed, or "" if it has removed nothing."""
    rules_left = {rule.name for rule in after.rules}
    rules_gone = [rule for rule in before.rules if rule.name not in rules_left]
    intents_left = {intent.name for intent, __ in after.own}
    intents_gone = [intent for intent, __ in before.own if intent.name not in intents_left]
    if len(rules_gone) == 1:
        return _("The rule “{pattern}” was deleted.").format(pattern=rules_gone[0].patterns[0])
    if before.rules != after.rules == shipped_rules().rules:
        return _("Your own rules were removed.")
    if intents_gone:
        return _("The intent “{name}” was deleted.").format(name=intents_gone[0].name)
    if before.finished and not after.results:
        return _("The scores were removed.")
    return _("The conversation was removed.") if before.turns and not after.turns else ""


def _put_rule(state: State, line: str, instead: str) -> State:
    names = [rule.name for rule in state.rules]
    if instead in names:
        rule = rules.parse(line, instead)
        at = names.index(instead)
        new = (*state.rules[:at], rule, *state.rules[at + 1 :])
        count = state.written_rules
    else:
        if len(names) >= MOST_RULES:
            raise BotError(
                _("You can't have more than {most_rules} rules.").format(most_rules=MOST_RULES),
                "Delete a rule first.",
            )
        count = state.written_rules + 1
        rule = rules.parse(line, f"yours-{count}")
        new = (rule, *state.rules)  # The new rule precedes other rules of the same priority.
    new_state = _replace(_without(state, "rules"), rules=new, written_rules=count)
    shown = [each.name for each in new_state.rules_shown]
    return _replace(new_state, rule=shown.index(rule.name))


def _add_intent(state: State, line: str) -> State:
    if len(state.own) >= MOST_OWN:
        raise BotError(
            _("You can't add more than {most_own} intents.").format(most_own=MOST_OWN),
            "Delete one of yours.",
        )
    intents = state.bank.intents
    own = (*state.own, own_intent(line, frozenset(intent.name for intent in intents)))
    new = _replace(_without(state, "retrieval"), own=own, intent=len(intents))
    return _replace(new, trained=None, training=True)


def _drop_intent(state: State) -> State:
    chosen = state.bank.intents[state.intent]
    if not chosen.own:
        raise BotError("This intent can't be deleted.", "You can delete only your own intents.")
    own = tuple(each for each in state.own if each[0].name != chosen.name)
    new = _replace(_without(state, "retrieval"), own=own, trained=None, training=False)
    return _replace(new, intent=moved(state.intent, 0, len(new.bank.intents)))


def _train(state: State) -> State:
    if state.training:
        return _replace(state, training=False)
    if not state.ready:
        return _replace(state, training=True)
    new = _without(state, "retrieval")
    return _replace(new, seed=state.seed + 1, training=True, trained=None)


def _without(state: State, bot: Bot) -> State:
    """Return the state without the probe results of a bot that is about to change.

    The bot's reply in the chat is kept, and marked as outdated.
    """
    results = {case: result for case, result in state.results.items() if case.bot != bot}
    new = _replace(state, results=results, running=False)
    replied = new.turn is not None and (new.turn.rules if bot == "rules" else new.turn.retrieval)
    return _with_turn(new, outdated=new.turn.outdated | {bot}) if new.turn and replied else new


def _predict(state: State, by: int) -> State:
    """Change the prediction for the selected kind of probe to another bot."""
    if state.results:
        raise LabError(
            "You can't change predictions after running the probes.",
            "Compare your predictions with the scores.",
        )
    kind = KINDS[state.kind]
    now = state.predictions.get(kind)
    # If there is no prediction yet, one step forward selects the first bot.
    at = BOTS.index(now) + by if now else by - (by > 0)
    return _replace(state, predictions=state.predictions | {kind: BOTS[at % len(BOTS)]})


def _run_probes(state: State) -> State:
    if len(state.predictions) < len(KINDS):
        raise LabError(
            "A prediction is missing for at least one kind of probe.",
            "Press ↑ or ↓ to choose a kind, and ← or → to predict the weakest bot.",
        )
    if state.finished:
        begun = Written(state.limits.probe_length)
        return _replace(state, results={}, begun=begun, running=True)
    return _replace(state, running=not state.running)


def question(state: State) -> Question | None:
    turn = state.turn
    if turn is not None and turn.rules is None:
        return questions.AskRules(state.rules, tuple(each.message for each in state.turns))
    case = next_case(state.results) if state.running else None
    waits = turn is not None and turn.retrieval is None
    if (waits or state.training or case is not None) and not state.ready:
        done = len(state.trained.losses) if state.trained else 0
        # To measure the effect of the learner's intents, train without them first.
        own = () if state.first_right is None else state.own
        return questions.AskTraining(own, state.seed, done)
    if turn is not None and turn.retrieval is None:
        return questions.AskRetrieval(state.own, state.seed, turn.message)
    if turn is not None and not turn.cut and not turn.written.done:
        ids = tuple(each.token.id for each in turn.written.tokens)
        return questions.AskGeneration(conversation(state.turns), ids, turn.seed, turn.written.most)
    return None if case is None else _probe_question(state, case)


def _probe_question(state: State, case: Case) -> Question:
    probe = shipped_probes().probes[case.probe]
    if case.bot == "rules":
        return questions.AskRules(state.rules, (*probe.before[::2], probe.message), case)
    if case.bot == "retrieval":
        return questions.AskRetrieval(state.own, state.seed, probe.message, case)
    before = tuple(
        ChatMessage("assistant" if at % 2 else "user", text) for at, text in enumerate(probe.before)
    )
    ids = tuple(each.token.id for each in state.begun.tokens)
    messages = (*before, ChatMessage("user", probe.message))
    return questions.AskGeneration(messages, ids, 0, state.begun.most, case)


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case questions.Trained():
            return _receive_training(state, answer)
        case (
            questions.SaidByRules(reply=reply, milliseconds=milliseconds)
            | questions.SaidByRetrieval(reply=reply, milliseconds=milliseconds)
        ):
            assert isinstance(question, questions.AskRules | questions.AskRetrieval)
            if question.case is not None:
                return _result(state, question.case, reply.text, reply.declined, milliseconds)
            if isinstance(question, questions.AskRetrieval):
                return _with_turn(state, retrieval=answer)
            missed = {in_words(question.messages[-1])} if reply.declined else set()
            return _replace(_with_turn(state, rules=answer), missed=state.missed | missed)
        case questions.Generated():
            assert isinstance(question, questions.AskGeneration)
            return _receive_generation(_replace(state, weights=answer.weights), question, answer)


def _receive_training(state: State, answer: questions.Trained) -> State:
    if not answer.finished:
        return _replace(state, trained=answer)
    if state.first_right is None:
        new = _replace(state, first_right=answer.right)
        if state.own:
            return _replace(new, trained=None)
        return _replace(new, trained=answer, training=False)
    first = state.first_right if state.own else answer.right
    return _replace(state, trained=answer, training=False, first_right=first)


def _receive_generation(
    state: State, question: questions.AskGeneration, answer: questions.Generated
) -> State:
    if question.case is None:
        assert state.turn is not None
        return _with_turn(state, written=_longer(state.turn.written, answer))
    written = _longer(state.begun, answer)
    if not written.done:
        return _replace(state, begun=written)
    declined = declines(written.text, shipped_probes().declining)
    new = _replace(state, begun=Written(state.limits.probe_length))
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


def _longer(written: Written, answer: questions.Generated) -> Written:
    return Written(
        written.most,
        prompt=answer.prompt or written.prompt,
        tokens=(*written.tokens, *answer.written),
        ended=answer.ended,
        milliseconds=written.milliseconds + answer.milliseconds,
    )


_PREDICT: Action = Choose(1, "prediction")
_NEXT_KIND: Action = MoveFocus(1, "row")


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="generations",
    title="Three generations of chatbots",
    about="Compare bots that use rules, retrieval and generation",
    order=10,
    lesson="generations",
    task=(
        "Send a message to three bots and see how each one arrives at its answer. Then change "
        "the first two bots, and score all three on the same messages."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    results=ModelResults(("results",), fit=lambda state: state.results.keys() <= set(CASES)),
    work=restoring.WORK,
    reset_settings=_reset_rules,
    goals=(goals.paraphrase, goals.unknown, goals.own_rule, goals.own_intent, goals.compared),
    solution=(
        actions.SendMessage("My parrot ate my library card."),
        actions.NewConversation(),
        actions.SendMessage("Who won the football match yesterday?"),
        ShowView("rules"),
        actions.PutRule("60: * parrot * = Poor parrot! A new card costs 3 euros."),
        ShowView("chat"),
        actions.NewConversation(),
        actions.SendMessage("My parrot ate my library card."),
        actions.AddIntent(
            "music: do you lend records; where are the CDs; any vinyl = Upstairs, left."
        ),
        actions.NewConversation(),
        actions.SendMessage("Do you lend old records?"),
        ShowView("probes"),
        *((_PREDICT, _NEXT_KIND) * len(KINDS)),
        Run(),
    ),
)
