"""Describe the state of the lab on training word vectors in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.word2vec.lab import Answer, State

HELP = {
    "run": _("Train the vectors, or pause."),
    "choose": _("Choose a different seed or window, which restarts training."),
    "edit": _("Choose words of your own, in groups."),
    "move": _("Select another word, or an earlier map."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the words, the progress, the clusters, and a word's neighbors."""
    lines = {"words": list(_words(state))}
    if state.now is not None:
        lines["progress"] = list(_progress(state, state.now))
        lines["clusters"] = list(_clusters(state))
        lines["nearest"] = list(_nearest(state, state.now))
    return lines


def _words(state: State) -> Iterator[str]:
    for group in state.words.groups:
        yield _("Group {name}: {words}.").format(
            name=group.name, words=listed(group.words, _("and"))
        )
    if state.unknown:
        yield _("These words don't occur in the text: {words}.").format(
            words=listed(state.unknown, _("and"))
        )


def _progress(state: State, now: Answer) -> Iterator[str]:
    yield _("Seed {seed}, window {window}, epoch {epoch} of {epochs}.").format(
        seed=state.seed, window=state.window, epoch=now.epoch, epochs=now.epochs
    )
    yield _("Trained on {done:,} of about {total:,} pairs of words.").format(
        done=state.done, total=now.total
    )
    if state.losses:
        yield _("The loss is {loss:.2f}.").format(loss=state.losses[-1][1])
    if state.finished:
        yield _("The training is finished.")


def _clusters(state: State) -> Iterator[str]:
    found = state.clustering
    if found is None:
        return
    yield _("The nearest other word is from the same group for {share} of the words.").format(
        share=percent(found.together)
    )
    yield _(
        "The mean cosine is {within:.2f} within groups and {between:.2f} between groups."
    ).format(within=found.within, between=found.between)
    if found.clustered:
        yield _("The words form clusters.")


def _nearest(state: State, now: Answer) -> Iterator[str]:
    if not state.known or not state.fresh:
        return
    words = [f"{word} {cosine:.2f}" for word, cosine in now.nearest]
    yield _("Nearest to {word} among {count:,} words: {words}.").format(
        word=state.known[state.focus][0], count=now.vocabulary, words=", ".join(words)
    )
