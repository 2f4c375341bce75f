"""`tutor progress`: what is stored of a learner."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tutor import paths
from tutor.cli import output

if TYPE_CHECKING:
    from tutor.learner.progress import Progress


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "progress", parents=[for_learner], help="show a learner's progress"
    )
    parser.add_argument("--json", action="store_true", help="everything stored, as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.learner.progress import Progress

    progress = Progress.open(paths.learner_folder(options.learner))
    if options.json:
        output.write_json(progress.export())
    else:
        _describe(progress)
    for notice in progress.notices:
        output.complain(notice)
    return 0


def _describe(progress: Progress) -> None:
    lessons = progress.lessons()
    if not lessons:
        output.write("Nothing yet: no lesson has been opened.")
    for state in lessons.values():
        answered = [card for card in progress.cards().values() if card.lesson == state.lesson]
        right = sum(card.last_correct for card in answered)
        output.write(
            f"{state.lesson}: {'read' if state.read else 'begun'}, "
            f"{len(state.labs_done)} labs done, {right} of {len(answered)} questions right."
        )
    guesses = progress.guesses
    if guesses.rounds:
        output.write(
            f"Guessing game: {guesses.rounds} rounds, {guesses.learner_bits / guesses.rounds:.2f} "
            f"bits per token, the model {guesses.model_bits / guesses.rounds:.2f}."
        )
