"""Print a bot's reply and how the bot found it.

The output is JSON (`docs/bot-json.md`) or plain lines that a screen reader can read.
"""

from collections.abc import Sequence

import msgspec

from tutor.bots.bank import Likely, Near
from tutor.bots.probes import Bot
from tutor.bots.rules import RuleReply
from tutor.cli import output
from tutor.cli.step.output import JsonModel
from tutor.language import _
from tutor.lm.distribution import Row
from tutor.text import counted, visible


class Fit(msgspec.Struct, frozen=True):
    rule: str
    priority: int
    pattern: str
    words: tuple[str, ...]
    captures: tuple[str, ...]


class RulesTrace(msgspec.Struct, frozen=True):
    """The rules that matched the message.

    The first rule in `fits` produced the reply. If `fits` is empty, the bot used its fallback.
    """

    rules: int
    fits: tuple[Fit, ...]
    turn: int


class Training(msgspec.Struct, frozen=True):
    intents: int
    phrases: int
    answers: int
    seed: int
    steps: int
    loss: float
    held_out: int
    held_out_right: int
    milliseconds: float


class RetrievalTrace(msgspec.Struct, frozen=True):
    model: JsonModel
    intents: tuple[Likely, ...]
    nearest: tuple[Near, ...]
    threshold: float
    training: Training


class Token(msgspec.Struct, frozen=True):
    id: int
    text: str
    bytes: str
    probability: float
    rank: int


class GenerativeTrace(msgspec.Struct, frozen=True):
    model: JsonModel
    prompt_ids: tuple[int, ...]
    tokens: tuple[Token, ...]
    seed: int | None
    ended: bool


class Report(msgspec.Struct, frozen=True):
    """The output of `tutor bot --json`. Other programs depend on its fields."""

    bot: Bot
    message: str
    reply: str
    declined: bool
    milliseconds: float
    trace: RulesTrace | RetrievalTrace | GenerativeTrace


def rules_trace(reply: RuleReply, words: Sequence[str], count: int) -> RulesTrace:
    """Return the trace of a rule-based bot's reply.

    `words` are the words of the message, and `count` is the number of rules.
    """
    fits = []
    for fit in reply.fits:
        named = tuple(words[place] for place in fit.literal)
        fits.append(Fit(fit.rule, fit.priority, fit.pattern, named, fit.captures))
    return RulesTrace(count, tuple(fits), reply.turn)


def token_of(row: Row) -> Token:
    """Convert the row of a generated token to a `Token` for the output."""
    token = row.token
    return Token(token.id, token.text, token.data.hex(), row.probability, row.rank)


# --- for people -----------------------------------------------------------------------------------


def write(report: Report) -> None:
    output.write(report.reply)
    output.write("")
    match report.trace:
        case RulesTrace() as trace:
            _write_rules(trace)
        case RetrievalTrace() as trace:
            _write_retrieval(trace, declined=report.declined)
        case GenerativeTrace() as trace:
            _write_generation(trace)
    output.write(
        _("The reply took {milliseconds:,.1f} ms.").format(milliseconds=report.milliseconds)
    )


def _write_rules(trace: RulesTrace) -> None:
    if not trace.fits:
        output.write(
            _("None of the {rules} matches, so the bot used its fallback.").format(
                rules=counted(trace.rules, "rule")
            )
        )
        return
    first = trace.fits[0]
    output.write(
        _("Rule {rule}, priority {priority}: {pattern}").format(
            rule=first.rule, priority=first.priority, pattern=first.pattern
        )
    )
    output.write(_("It matched these words: {items}").format(items=" ".join(first.words)))
    for number, capture in enumerate(first.captures, start=1):
        output.write(
            _("Capture {number}: {value}").format(number=number, value=capture or _("nothing"))
        )
    if len(trace.fits) > 1:
        output.write(
            _("Other matching rules: {items}").format(
                items=", ".join(fit.rule for fit in trace.fits[1:])
            )
        )


def _write_retrieval(trace: RetrievalTrace, *, declined: bool) -> None:
    training = trace.training
    output.write(
        _(
            "Trained on {phrases} phrases for {intents} intents in "
            "{milliseconds:.1f} s: {held_out_right} of "
            "{held_out} held-out phrases classified correctly."
        ).format(
            phrases=training.phrases,
            intents=training.intents,
            milliseconds=training.milliseconds / 1000,
            held_out_right=training.held_out_right,
            held_out=training.held_out,
        )
    )
    output.write(_("probability  intent"))
    for each in trace.intents:
        output.write(f"{100 * each.probability:9.1f} %  {each.intent}")
    output.write(_("     cosine  nearest question"))
    for near in trace.nearest:
        output.write(f"{near.cosine:11.2f}  {near.question}")
    verdict = (
        _("not reached, so the bot says it doesn't know")
        if declined
        else _("reached, so the bot answers")
    )
    output.write(
        _("The threshold of {threshold:.2f} is {verdict}.").format(
            threshold=trace.threshold, verdict=verdict
        )
    )


def _write_generation(trace: GenerativeTrace) -> None:
    how = (
        _("each the most probable one")
        if trace.seed is None
        else _("sampled with seed {seed}").format(seed=trace.seed)
    )
    output.write(
        _("{name} generated {tokens}, {how}{value}:").format(
            name=trace.model.name,
            tokens=counted(len(trace.tokens), "token"),
            how=how,
            value="" if trace.ended else _("; the reply was cut off"),
        )
    )
    output.write(_("probability    rank  token"))
    for token in trace.tokens:
        name = visible(bytes.fromhex(token.bytes))
        output.write(f"{100 * token.probability:9.1f} %  {token.rank:6,}  {name}")
