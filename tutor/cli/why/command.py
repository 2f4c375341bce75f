"""Implement `tutor why`, which explains a prediction.

The explanation shows how much the parts of the network and the tokens of the text contribute.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tutor.cli.step.command import load, open_session, positive
from tutor.cli.step.output import in_a_row
from tutor.cli.why.output import (
    HeadSources,
    write_attribution,
    write_json,
    write_occlusions,
    write_sources,
)
from tutor.errors import UsageError
from tutor.language import _
from tutor.lm.fast.shortage import shortage_in_words
from tutor.vendors.catalogue import is_remote

if TYPE_CHECKING:
    from tutor.lm.attribution import Attribution
    from tutor.lm.language_model import LanguageModel


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "why",
        parents=[for_model],
        allow_abbrev=False,
        help=_("explain why the model predicts a token"),
        description=_(
            "Split the logit of the next token into one term for each part of the network (direct "
            "attribution), and remove the tokens of the text one at a time (occlusion)."
        ),
    )
    parser.add_argument("text", metavar="TEXT", help=_("the text, used exactly as it is"))
    parser.add_argument("--chat", action="store_true", help=_("treat the text as a chat message"))
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help=_("the token to explain, such as ␣Paris (default: the most probable one)"),
    )
    parser.add_argument(
        "--rather-than",
        metavar="TOKEN",
        help=_("explain the difference from this token's logit, instead of the logit itself"),
    )
    parser.add_argument(
        "--head",
        type=_head,
        metavar="LAYER.HEAD",
        help=_("show which tokens the contribution of this head (such as 24.5) comes from"),
    )
    parser.add_argument(
        "--top",
        type=positive,
        default=10,
        metavar="K",
        help=_("show the K parts that contribute most (default: 10)"),
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if is_remote(options.model):
        raise UsageError(
            _("A remote model does not expose its internals."),
            _("Use a model that runs on this machine."),
        )
    model = load(options.model)
    target = _token(model, "--token", options.token)
    against = _token(model, "--rather-than", options.rather_than)
    with shortage_in_words(_("this text")):
        session = open_session(model, options.text, chat=options.chat)
        found = session.attribution(len(session) - 1, target, against)
        if found.target == found.against:
            raise UsageError(
                _("The token to explain and the token after --rather-than are the same."),
                _("Give another token after --rather-than."),
            )
        last = len(session) - 1
        sources = None
        if options.head is not None:
            layer, head = options.head
            _check_head(found, layer, head)
            logits = session.sources(last, layer, head, found.target.id, against)
            sources = HeadSources(layer + 1, head + 1, logits)
        occlusions = (
            each
            for index in range(last)
            for each in session.occlusion(last, (index,), found.target.id, against)
        )
        if options.json:
            write_json(model.card, session.ids, found, occlusions, sources)
            return 0
        write_attribution(model.card, session.tokens, found, options.top)
        if sources is not None:
            write_sources(session.tokens, found, sources)
        write_occlusions(found, occlusions)
    return 0


def _head(text: str) -> tuple[int, int]:
    """Convert `LAYER.HEAD`, counted from 1, to a layer and a head, counted from 0."""
    from tutor.lm.attribution import Part  # slow to import, and not needed by other commands

    with suppress(ValueError):
        part = Part.of_option(text)
        if part.layer is not None and part.head is not None:
            return part.layer, part.head
    raise argparse.ArgumentTypeError(
        _("{text!r} is not LAYER.HEAD, such as 24.5, counted from 1").format(text=text)
    )


def _check_head(found: Attribution, layer: int, head: int) -> None:
    """Raise `UsageError` if the network doesn't have this head."""
    layers, heads = len(found.heads), len(found.heads[0])
    if layer >= layers or head >= heads:
        raise UsageError(
            _("There is no layer {layer}, head {head}.").format(layer=layer + 1, head=head + 1),
            _("The model has {layers} layers with {heads} heads each, counted from 1.").format(
                layers=layers, heads=heads
            ),
        )


def _token(model: LanguageModel, option: str, text: str | None) -> int | None:
    """Return the id of the token that an option names, or None if `text` is None.

    Raises `UsageError` if `text` is not a single token.
    """
    if text is None:
        return None
    ids = model.tokenizer.encode(text.replace("␣", " "))
    if len(ids) == 1:
        return ids[0]
    pieces = in_a_row(model.tokenizer.tokens(ids))
    raise UsageError(
        _("{option} needs one token, but {text!r} has {count}: {pieces}").format(
            option=option, text=text, count=len(ids), pieces=pieces
        ),
        _("Most common words are one token if they begin with a space: ␣Paris."),
    )
