"""Implement `tutor diff`, which compares two distributions over the next token, A and B."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from tutor.cli.diff.output import (
    JsonSide,
    write_along,
    write_comparison,
    write_heading,
    write_json,
)
from tutor.cli.step import sampler
from tutor.cli.step.command import load, open_session, positive
from tutor.errors import UsageError
from tutor.language import _
from tutor.lm.comparison import Order, aligned
from tutor.lm.fast.shortage import shortage_in_words
from tutor.vendors.catalogue import is_remote

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tutor.lm.attribution import Part
    from tutor.lm.language_model import LanguageModel

_B = "b-"
"""The prefix of the options that are only for B."""


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "diff",
        parents=[for_model],
        allow_abbrev=False,
        help=_("compare two distributions"),
        description=_(
            "Compare the next tokens after two texts, or after one text with two samplers, "
            "models or precisions, or with a part of the network switched off. The two sides "
            "are called A and B."
        ),
    )
    parser.add_argument("a", metavar="A", help=_("the text of A, used exactly as it is"))
    parser.add_argument(
        "b", metavar="B", nargs="?", help=_("the text of B (default: the text of A)")
    )
    parser.add_argument("--chat", action="store_true", help=_("treat both texts as chat messages"))
    parser.add_argument(
        "--top",
        type=positive,
        default=10,
        metavar="K",
        help=_("show K tokens (default: 10)"),
    )
    parser.add_argument(
        "--order",
        choices=get_args(Order),
        default="change",
        help=_("show the tokens that change most, or the most probable ones (default: change)"),
    )
    parser.add_argument(
        "--along", action="store_true", help=_("also compare after each token of the text")
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    both = parser.add_argument_group(_("sampler settings of A and B, applied in this order"))
    sampler.add_options(both)
    only_b = parser.add_argument_group(_("what is different in B"))
    only_b.add_argument(
        "--b-model", metavar="MODEL", help=_("another model, with the same vocabulary")
    )
    only_b.add_argument(
        "--b-exact",
        action="store_true",
        help=_("compute B with 32-bit floats, as a slow but exact reference"),
    )
    only_b.add_argument(
        "--b-without",
        type=_part,
        action="append",
        default=[],
        metavar="PART",
        help=_(
            "switch off a head (LAYER.HEAD, such as 15.9) or a feed-forward network (LAYER.ff), "
            "counted from 1; may be repeated"
        ),
    )
    sampler.add_options(only_b, _B)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = sampler.settings(options)
    other_sampler = sampler.settings(options, _B, default=settings) != settings
    other_model = options.b_model is not None or options.b_exact
    if options.b is None and not (other_model or other_sampler or options.b_without):
        raise UsageError(
            _("A and B are the same."),
            _("Give a second text, or an option that changes B, such as --b-temperature 0.5."),
        )
    for spec in (options.model, options.b_model):
        if is_remote(spec):
            raise UsageError(
                _("A remote model returns only a few tokens of each distribution."),
                _("Compare models that run on this machine."),
            )
    model_a = load(options.model)
    model_b = model_a
    if other_model:
        model_b = load(options.b_model or options.model, exact=options.b_exact)
    with shortage_in_words(_("this text")):
        _compare(options, model_a, model_b)
    return 0


def _compare(options: argparse.Namespace, model_a: LanguageModel, model_b: LanguageModel) -> None:
    from tutor.lm.divergence import Side, along, compare, require_same_vocabulary

    require_same_vocabulary(model_a, model_b)
    changed = _changed(model_b, options.b_without)
    text_b = options.a if options.b is None else options.b
    settings = sampler.settings(options)
    a = Side(open_session(model_a, options.a, chat=options.chat), settings)
    b = Side(
        open_session(model_b, text_b, chat=options.chat),
        sampler.settings(options, _B, default=settings),
        changed,
    )
    side_a, side_b = JsonSide.of(a), JsonSide.of(b, [part.option for part in options.b_without])
    places = aligned(a.session.ids, b.session.ids)
    found = compare(a, b, places[-1], top=options.top, order=options.order)
    divergences = along(a, b, places) if options.along else None
    if options.json:
        write_json(side_a, side_b, found, divergences)
        return
    write_heading(side_a, side_b, a.session.tokens, b.session.tokens)
    write_comparison(found)
    if divergences is not None:
        write_along(divergences)


def _changed(
    model: LanguageModel, parts: Sequence[Part]
) -> Callable[[], AbstractContextManager[None]]:
    """Return a function whose context manager switches off `parts`. Raises `UsageError`."""
    from tutor.lm.inspect.interventions import switched_off

    config = model.network.config
    for part in parts:
        if part.layer not in range(config.layers) or part.head not in (None, *range(config.heads)):
            raise UsageError(
                _("The model has no part {part}.").format(part=part.option),
                _("It has {layers} layers with {heads} heads each.").format(
                    layers=config.layers, heads=config.heads
                ),
            )
    known = [(part.layer, part.head) for part in parts if part.layer is not None]
    heads = [(layer, head) for layer, head in known if head is not None]
    feed_forwards = [layer for layer, head in known if head is None]
    return partial(switched_off, model.network, heads, feed_forwards)


def _part(text: str) -> Part:
    from tutor.lm.attribution import Part  # slow to import, and not needed by other commands

    try:
        return Part.of_option(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            _("{text!r} is not LAYER.HEAD (such as 15.9) or LAYER.ff, counted from 1").format(
                text=text
            )
        ) from error
