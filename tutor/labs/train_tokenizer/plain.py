"""Describe the state of the lab on training a tokenizer in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.train_tokenizer.lab import SIZES, bytes_a_token, saved
from tutor.language import _
from tutor.plain.words import listed, quoted
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.train_tokenizer.lab import Answer, State

HELP = {
    "edit": _("Train on a text of your own. With field=tried: tokenize another text."),
    "adjust": _("Change the size of the vocabulary."),
}
_MOST = 20


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the training text, the results so far, and a tokenized text."""
    return {
        "trained": [
            _("The training text is the text of the lessons.")
            if state.own is None
            else _("The training text is your own, {count}.").format(
                count=counted(len(state.own), "character")
            )
        ],
        "size": [
            _("Vocabulary: {size:,} tokens.").format(
                size=state.run.size if state.run else SIZES[state.size]
            )
        ],
        "run": list(_run(state, state.run)) if state.run is not None else [],
        "sizes": list(_sizes(state)),
    }


def _run(state: State, run: Answer) -> Iterator[str]:
    yield _("The training text has {tokens:,} tokens, {each:.2f} bytes per token.").format(
        tokens=run.tokens, each=bytes_a_token(run)
    )
    if (share := saved(state)) is not None:
        yield _("That is {part} fewer than with half the vocabulary.").format(
            part=f"{share:.1%}".replace("%", " %")
        )
    if run.size < SIZES[state.size]:
        yield _("Training ended before {wanted:,} tokens, when no pair occurred twice.").format(
            wanted=SIZES[state.size]
        )
    if run.merges:
        first = listed([*map(quoted, run.merges[:_MOST])], _("and"))
        yield _("The first of {merges}: {first}.").format(
            merges=counted(run.found, "merge"), first=first
        )
    yield _(
        "The text {text} has {tokens} here ({pieces}), and {model} with the model's tokenizer."
    ).format(
        text=quoted(state.tried.encode()),
        tokens=counted(len(run.pieces), "token"),
        model=f"{run.model_pieces:,}",
        pieces=", ".join(map(quoted, run.pieces)),
    )


def _sizes(state: State) -> Iterator[str]:
    if len(state.runs) < 2:
        return
    reached = {run.size: run for run in state.runs.values()}
    for size, run in sorted(reached.items()):
        yield _("With {size:,} tokens in the vocabulary: {each:.2f} bytes per token.").format(
            size=size, each=bytes_a_token(run)
        )
