"""Describe the state of the lab on three kinds of bots in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.bots.probes import BOTS, KINDS
from tutor.labs.generations import probes
from tutor.labs.generations.probes import CASES
from tutor.language import _
from tutor.plain.words import ended
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.bots.probes import Bot, Kind
    from tutor.bots.rules import Rule
    from tutor.labs.generations.questions import SaidByRetrieval, SaidByRules
    from tutor.labs.generations.state import State, Turn

HELP = {
    "put-rule": _("Add a rule. For example: put-rule 60: * dog * = Dogs wait outside."),
    "add-intent": _("Add an intent. For example: add-intent dogs: my dog; a puppy = No dogs."),
    "choose": _(
        "Predict the weakest bot for the selected kind of message: next, previous, or a number of "
        "steps. If there is no prediction yet, 1 is bot A, 2 is bot B and 3 is bot C."
    ),
    "edit": _("Test the rules on a sentence."),
}
_NAMES: dict[Bot, str] = {
    "rules": _("bot A"),
    "retrieval": _("bot B"),
    "generative": _("bot C"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the replies to the last message, and what the current view shows."""
    rules = list(_rules(state)) if state.view == "rules" else []
    intents = list(_intents(state)) if state.view == "intents" else []
    results = list(_results(state)) if state.view in ("probes", "table") else []
    return {
        "view": [_("View: {view}.").format(view=state.view)],
        "turns": list(_replies(state.turn)) if state.turn is not None else [_("No message yet.")],
        "rules": rules,
        "intents": intents,
        "training": list(_training(state)),
        "results": results,
    }


def _replies(turn: Turn) -> Iterator[str]:
    yield _("Your message: {message}").format(message=ended(turn.message))
    if turn.rules is not None:
        yield _by_rules(turn.rules)
    if turn.retrieval is not None:
        yield _by_retrieval(turn.retrieval)
    if turn.written.tokens:
        template = _("Bot C, generation, in {tokens}: {text}")
        count = counted(len(turn.written.tokens), "token")
        text = turn.written.text.strip() or (_("(empty reply)") if turn.written.ended else "")
        yield template.format(tokens=count, text=ended(text))


def _by_rules(said: SaidByRules) -> str:
    reply = said.reply
    if not reply.fits:
        return _("Bot A, rules: {text} No rule fits, so this is the fallback.").format(
            text=ended(reply.text)
        )
    return _("Bot A, rules: {text} It uses the rule {rule}, with the pattern {pattern}.").format(
        text=ended(reply.text), rule=reply.fits[0].rule, pattern=reply.fits[0].pattern
    )


def _by_retrieval(said: SaidByRetrieval) -> str:
    reply = said.reply
    text = _("Bot B, retrieval: {text}").format(text=ended(reply.text))
    if not reply.nearest:
        return text
    near = reply.nearest[0]
    template = (
        _(
            "{text} The nearest question, “{question}”, has a cosine of {cosine:.2f}, below the "
            "threshold."
        )
        if reply.declined
        else _("{text} The nearest question is “{question}”, with a cosine of {cosine:.2f}.")
    )
    return template.format(text=text, question=near.question, cosine=near.cosine)


def _rules(state: State) -> Iterator[str]:
    fits = state.fits
    yield _("Rules that fit the sentence “{sentence}”: {count} of {rules}.").format(
        sentence=state.sentence, count=len(fits), rules=len(state.rules)
    )
    if fits:
        yield _("The rule {name} answers it.").format(name=next(iter(fits)))
    if state.rules:
        yield _("Selected rule: {rule}").format(rule=_rule(state.rules_shown[state.rule]))


def _rule(rule: Rule) -> str:
    return _("{name}, priority {priority}, pattern {pattern}, answer: {answer}").format(
        name=rule.name,
        priority=rule.priority,
        pattern=rule.patterns[0],
        answer=ended(rule.answers[0]),
    )


def _intents(state: State) -> Iterator[str]:
    intents = state.bank.intents
    names = ", ".join(intent.name for intent in intents)
    yield _("Intents: {names}.").format(names=names)
    chosen = intents[state.intent]
    phrases = "; ".join(chosen.phrases)
    yield _("Selected intent: {name}, phrases: {phrases}.").format(
        name=chosen.name, phrases=phrases
    )


def _training(state: State) -> Iterator[str]:
    trained = state.trained
    if trained is None:
        return
    yield _("Bot B was trained for {count} of {total} steps.").format(
        count=len(trained.losses), total=trained.total
    )
    yield _("It recognizes {right} of {of} new phrases.").format(right=trained.right, of=trained.of)
    if state.own and state.first_right is not None:
        yield _("Without your intents, it recognizes {first_right}.").format(
            first_right=state.first_right
        )


def _results(state: State) -> Iterator[str]:
    for kind in KINDS:
        guess = state.predictions.get(kind)
        said = _("you predict {bot}").format(bot=_NAMES[guess]) if guess else _("no prediction yet")
        yield _("Kind {kind}: {said}.{scores}").format(
            kind=kind, said=said, scores=_scores(state, kind)
        )
    yield _("Selected kind: {kind}.").format(kind=KINDS[state.kind])
    if len(state.results) == len(CASES):
        count = probes.predicted_right(state.results, state.predictions)
        yield _("{count} of your {kinds} predictions are right.").format(
            count=count, kinds=len(KINDS)
        )
        yield _("In total.{scores}").format(scores=_scores(state, None))


def _scores(state: State, kind: Kind | None) -> str:
    """Return a sentence with the number of right replies of each bot, or "" if no probe has run."""
    scores = [(bot, *probes.score(state.results, bot, kind)) for bot in BOTS]
    parts = [
        _("{bot} {right} of {of}").format(bot=_NAMES[bot], right=right, of=of)
        for bot, right, of in scores
        if of
    ]
    return _(" Right replies: {parts}.").format(parts=", ".join(parts)) if parts else ""
