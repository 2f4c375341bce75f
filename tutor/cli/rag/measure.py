"""Implement `tutor rag measure`, which runs the measurements of the `rag` lab."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tutor import private
from tutor.cli import output
from tutor.cli.interrupted import leaving_at_once
from tutor.cli.status_line import StatusLine
from tutor.cli.step.command import load
from tutor.installation import install_command
from tutor.language import _


def add_to(verbs: Any, *parents: argparse.ArgumentParser) -> None:
    parser = verbs.add_parser(
        "measure",
        parents=list(parents),
        help=_("measure search and answers on this course"),
        description=_(
            "Search this course for the passages that answer a set of questions: with keyword "
            "search, semantic search, both combined, and a sentence encoder if it is installed. "
            "Then have the model answer the short questions with and without passages. This takes "
            "a few minutes."
        ),
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.set_defaults(run=run)


class Searching(msgspec.Struct):
    """The figures for one search method in the output of `tutor rag measure --json`.

    `recall` is recall@5 for all questions. `recall_words` is recall@5 for questions that use the
    words of the passage, and `recall_paraphrase` is recall@5 for questions that use other words.
    `mrr` is the mean reciprocal rank. Lessons quote these figures.
    """

    recall: float
    mrr: float
    recall_words: float
    recall_paraphrase: float


class MeasuredAll(msgspec.Struct):
    questions: int
    absent: int
    searching: dict[str, Searching]
    short: int
    right_with: int
    right_without: int


def run(options: argparse.Namespace) -> int:
    private.begin()  # This command stores vectors, which must be private.
    model = load(options.model)
    with leaving_at_once():
        from tutor.labs.kit.backend import Tools, make_backend

    line = StatusLine(sys.stderr, always=False)
    try:
        backend = make_backend("rag", Tools(lambda: model, lambda: None, Path()))
        figures = measured(backend.answer, lambda text: line.show("Measuring", figures=text))
    finally:
        line.clear()
    if options.json:
        output.write_json(figures)
        return 0
    output.write(
        f"{'':<10}{_('recall@5'):>9}{_('MRR'):>7}{_('same words'):>12}{_('other words'):>13}"
    )
    for kind, each in figures.searching.items():
        output.write(
            f"{kind:<10}{each.recall:>9.2f}{each.mrr:>7.2f}{each.recall_words:>12.2f}"
            f"{each.recall_paraphrase:>13.2f}"
        )
    if "encoder" not in figures.searching:
        output.write(
            _("encoder   not installed; to install it, run {install_command}").format(
                install_command=install_command("sentences")
            )
        )
    output.write(
        _(
            "correct short answers (of {short}): {right_with} with passages, "
            "{right_without} without"
        ).format(
            short=figures.short, right_with=figures.right_with, right_without=figures.right_without
        )
    )
    return 0


def measured(answer: Callable[[Any], Any], show: Callable[[str], None]) -> MeasuredAll:
    """Run the lab's measurements, and return all results."""
    from tutor.labs.kit.actions import Run
    from tutor.labs.kit.lab import settle
    from tutor.labs.rag import lab as rag
    from tutor.labs.rag import quality as rag_quality
    from tutor.retrieval.pairs import pairs

    state = rag.State(attempt=rag.start().attempt, part="measure")
    for __ in range(2):  # Measure search first, and then answers.
        for passed in settle(rag.LAB, rag.act(state, Run()), answer):
            state = passed
            (searched, searches), (answered, answers) = (
                state.quality.searched,
                state.quality.answered,
            )
            show(
                _("{searched} of {searches}").format(
                    searched=searched + answered, searches=searches + answers
                )
            )
    searching: dict[str, Searching] = {}
    for kind in state.kinds:
        each = rag_quality.figures(state.quality, kind)
        if each is not None:
            searching[kind] = Searching(
                each.recall, each.mrr, each.recall_words, each.recall_paraphrase
            )
    right = [rag_quality.right(state.quality, with_passages=given) for given in (True, False)]
    return MeasuredAll(
        questions=sum(bool(pair.right) for pair in pairs()),
        absent=sum(not pair.right for pair in pairs()),
        searching=searching,
        short=right[0][1],
        right_with=right[0][0],
        right_without=right[1][0],
    )
