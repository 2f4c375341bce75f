"""Save the text of `tutor step --html` as an HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import __version__
from tutor.cli import output
from tutor.language import _
from tutor.lm.token_tree import Step, TokenTree
from tutor.sharing import writing
from tutor.sharing.document import shared_positions, shared_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tutor.lm.distribution import Distribution, ModelCard, Row, SamplerSettings, Token
    from tutor.lm.llamacpp.session import LlamaSession
    from tutor.lm.saved_steering import Applied
    from tutor.lm.session import Session
    from tutor.vendors.session import RemoteSession

Found = tuple["Distribution", "Row | None"]
"""A step: the distribution, and the row of the token that was drawn from it, if any."""


def save_page(
    card: ModelCard,
    session: Session | LlamaSession | RemoteSession,
    prompt: Sequence[Token],
    found: Sequence[Found],
    settings: SamplerSettings,
    options: argparse.Namespace,
    applied: Applied | None,
) -> None:
    """Save the page. For a local model, also compute the distribution at each token of the prompt.

    Raises `NotWritten`.
    """
    tree = TokenTree.from_prompt(prompt, options.seed)
    drawn = [row for __, row in found if row is not None]
    tree = tree.extend([Step(row.token, "drawn", row.surprisal_bits) for row in drawn])
    distributions = [distribution for distribution, __ in found]
    if not card.remote:  # a server would charge for each of these distributions
        distributions = [
            session.distribution(position, settings, options.seed, options.top)
            for position in shared_positions(len(session))
        ]
        tree = tree.note_surprisals(0, session.surprisals(0))
    text = shared_text(
        tree,
        card,
        distributions,
        mode="chat" if options.chat else "text",
        sampler=settings,
        steering=applied,
        tutor=__version__,
    )
    path = writing.replace(options.html, writing.content(text, "html"))
    output.note(_("Saved as {path}.").format(path=path))
