"""Implement `tutor bot`, which sends a message to a bot from lesson 1 and explains the reply."""

import argparse
import time
from pathlib import Path
from typing import Any

from tutor.bots import rules
from tutor.bots.files import read_rules, shipped_bank, shipped_probes, shipped_rules
from tutor.bots.pattern import words_of
from tutor.bots.probes import BOTS, declines
from tutor.cli import output
from tutor.cli.bot import output as bot_output
from tutor.cli.bot.output import Report
from tutor.cli.step.command import load, positive, read_text
from tutor.cli.step.output import JsonModel
from tutor.errors import TextError, UsageError
from tutor.language import _
from tutor.lm.distribution import ChatMessage
from tutor.lm.fast.shortage import shortage_in_words

SEED = 1
"""The seed for training the retrieval bot."""
LENGTH = 60
"""The default number of tokens in a generated reply."""


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "bot",
        parents=[for_model],
        allow_abbrev=False,
        help=_("send a message to one of the three bots from lesson 1"),
        description=_(
            "Send a message to one of the three bots from lesson 1, which work at the "
            "help desk of a town library: rules, retrieval (retrained on each run) or generative. "
            "The output shows the reply and how the bot arrived at it."
        ),
    )
    parser.add_argument("bot", choices=BOTS, help=_("which bot to use"))
    parser.add_argument(
        "text", metavar="TEXT", help=_("the message, or - to read the message from standard input")
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.add_argument(
        "--before",
        action="append",
        default=[],
        metavar="TEXT",
        help=_("an earlier message or reply; repeat this option, alternating between the two"),
    )
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help=_("a file with your own rules (rules bot only)")
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="S",
        help=_(
            "the seed for training (retrieval bot; default: {seed}) or for sampling at "
            "temperature 0.6 and top-p 0.9 (generative bot; without a seed, it decodes greedily)"
        ).format(seed=SEED),
    )
    parser.add_argument(
        "--length",
        type=positive,
        default=LENGTH,
        metavar="N",
        help=_("the maximum number of tokens in a generated reply (default: {length})").format(
            length=LENGTH
        ),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.rules is not None and options.bot != "rules":
        raise UsageError(
            "--rules only works with the rules bot.", "Remove it, or choose the `rules` bot."
        )
    if len(options.before) % 2:
        raise UsageError(
            "The last --before message has no reply.",
            "Use --before in pairs: a message, then its reply.",
        )
    options.input = "-" if options.text == "-" else None
    message = read_text(options).strip()
    if not message:
        raise TextError("The message is empty.", "Enter at least one word.")
    report = {"rules": _rules, "retrieval": _retrieval, "generative": _generative}[options.bot](
        options, message
    )
    if options.json:
        output.write_json(report)
    else:
        bot_output.write(report)
    return 0


def _rules(options: argparse.Namespace, message: str) -> Report:
    book = shipped_rules() if options.rules is None else read_rules(options.rules)
    # Compile the patterns first, so that the measured time excludes the compilation.
    rules.fits(book, "")
    begun = time.perf_counter()
    reply = rules.reply(book, [*options.before[::2], message])
    taken = _milliseconds(begun)
    words = words_of(message)
    trace = bot_output.rules_trace(reply, words, len(book.rules))
    return Report("rules", message, reply.text, reply.declined, taken, trace)


def _retrieval(options: argparse.Namespace, message: str) -> Report:
    model = load(options.model)
    from tutor.bots.retrieval_bot import RetrievalBot

    bank = shipped_bank()
    seed = SEED if options.seed is None else options.seed
    begun = time.perf_counter()
    bot = RetrievalBot(model, bank, seed)
    while not bot.training.finished:
        bot.training.step()
    trained = _milliseconds(begun)
    begun = time.perf_counter()
    reply = bot.reply(message)
    taken = _milliseconds(begun)
    held_out = sum(len(intent.held_out) for intent in bank.intents)
    training = bot_output.Training(
        intents=len(bank.intents),
        phrases=bank.phrases,
        answers=bank.entries,
        seed=seed,
        steps=len(bot.training.losses),
        loss=bot.training.losses[-1],
        held_out=held_out,
        held_out_right=held_out - len(bot.training.wrong()),
        milliseconds=trained,
    )
    card = JsonModel.of(model.card)
    trace = bot_output.RetrievalTrace(card, reply.likely, reply.nearest, reply.threshold, training)
    return Report("retrieval", message, reply.text, reply.declined, taken, trace)


def _generative(options: argparse.Namespace, message: str) -> Report:
    model = load(options.model)
    from tutor.labs.generations.lab import GREEDY, SENSIBLE
    from tutor.lm.chat import chat_ids
    from tutor.lm.session import Session
    from tutor.lm.trajectory import trajectory

    said = [
        ChatMessage("assistant" if at % 2 else "user", text)
        for at, text in enumerate([*options.before, message])
    ]
    sampler = GREEDY if options.seed is None else SENSIBLE
    begun = time.perf_counter()
    with shortage_in_words(_("this conversation")):
        session = Session(model, chat_ids(model, said))
        prompt = session.ids
        steps = list(trajectory(session, sampler, options.seed or 0, options.length, 1))
    taken = _milliseconds(begun)
    data = b"".join(step.chosen.token.data for step in steps if not step.chosen.token.special)
    text = data.decode("utf-8", "replace")
    tokens = tuple(bot_output.token_of(step.chosen) for step in steps)
    card = JsonModel.of(model.card)
    trace = bot_output.GenerativeTrace(card, tuple(prompt), tokens, options.seed, session.ended)
    declined = declines(text, shipped_probes().declining)
    return Report("generative", message, text, declined, taken, trace)


def _milliseconds(begun: float) -> float:
    return 1000 * (time.perf_counter() - begun)
