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
    """In the figures of the app: of the lessons as they are now, questions and screens that are
    gone do not count."""
    from tutor.app.standing import standing
    from tutor.course.catalogue import load_course

    course, states, cards = load_course(), progress.lessons(), progress.cards()
    if not states and not cards:
        output.write("Nothing yet: no lesson has been opened.")
    for lesson in course.outlines:
        where = standing(lesson, progress.lesson(lesson.id), cards)
        if where.started:
            output.write(
                f"{lesson.number:2}  {lesson.title}: {where.seen} of {where.screens} screens, "
                f"{where.goals} of {where.labs} labs, "
                f"{where.right} of {where.questions} questions right."
            )
    for lesson_id in states:
        if course.outline(lesson_id) is None:
            output.write(f"{lesson_id}: no longer in the course; what you did in it is kept.")
    guesses = progress.guesses
    if guesses.rounds:
        output.write(
            f"Guessing game: {guesses.rounds} rounds, {guesses.learner_bits / guesses.rounds:.2f} "
            f"bits per token, the model {guesses.model_bits / guesses.rounds:.2f}."
        )
