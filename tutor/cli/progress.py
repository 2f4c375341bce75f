"""`tutor progress`: show, export and import a learner's progress."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.cli import learning, output
from tutor.text import counted, printable_json, safe

if TYPE_CHECKING:
    from tutor.learner.progress import Progress


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "progress",
        parents=[for_learner],
        help="show, export or import a learner's progress",
    )
    parser.add_argument(
        "--json", action="store_true", help="print everything that is stored, as JSON"
    )
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(title="commands", metavar="COMMAND")

    export = actions.add_parser(
        "export",
        parents=[for_learner],
        help="export progress as JSON or Markdown",
        description="Write everything that is stored about a learner: every answer, and the "
        "figures computed from the answers.",
    )
    export.add_argument(
        "--markdown",
        action="store_true",
        help="write readable Markdown (only JSON can be imported)",
    )
    export.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="the file to write (default: standard output)",
    )
    export.set_defaults(run=run_export)

    import_ = actions.add_parser(
        "import",
        parents=[for_learner],
        help="add progress from other machines",
        description="Add progress from other machines. Importing the same progress again changes "
        "nothing.",
    )
    import_.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="an export (JSON) or a learner's reviews.log",
    )
    import_.set_defaults(run=run_import)


def run(options: argparse.Namespace) -> int:
    progress = learning.progress_of(options)
    if options.json:
        output.write_json(progress.export())
    else:
        _describe(progress, options)
    learning.complain_of(progress)
    return 0


def run_export(options: argparse.Namespace) -> int:
    import msgspec

    from tutor.learner import exchange

    progress = learning.progress_of(options)
    if options.markdown:
        from tutor.cli.report.text import details

        course = learning.course_of(options)
        text = details(options.learner, course, progress.state(), progress.clock())
        data = safe(text).encode() + b"\n"
    else:
        data = printable_json(msgspec.json.encode(exchange.export(progress))) + b"\n"
    if options.file is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    else:
        exchange.write(options.file, data)
    learning.complain_of(progress)
    return 0


def run_import(options: argparse.Namespace) -> int:
    """Import the files, or none of them if one is invalid."""
    from tutor.learner import exchange

    progress = learning.progress_of(options)
    bundles = [exchange.read(file, progress.clock()) for file in options.files]
    merged = exchange.merge(progress, bundles)
    output.write(f"{merged.added:,} new events, {merged.known:,} already known.")
    if damaged := sum(bundle.damaged for bundle in bundles):
        were = "was" if damaged == 1 else "were"
        output.note(f"{counted(damaged, 'line')} could not be read and {were} skipped.")
    learning.complain_of(progress)
    return 0


def _describe(progress: Progress, options: argparse.Namespace) -> None:
    """Print the same figures as the progress screen.

    Questions and screens that have been removed from the lessons don't count.
    """
    from tutor.learner import review
    from tutor.study.lesson_progress import lesson_progress
    from tutor.study.memory_words import in_one_line
    from tutor.study.review_questions import review_questions

    course, states, cards = learning.course_of(options), progress.lessons(), progress.cards()
    if not states and not cards:
        output.write("No lesson has been opened yet.")
    for lesson in course.outlines:
        where = lesson_progress(lesson, progress.lesson(lesson.id), cards)
        if where.started:
            output.write(
                f"{lesson.number:2}  {lesson.title}: "
                f"{where.seen} of {counted(where.screens, 'screen')}, "
                f"{where.goals} of {counted(where.labs, 'lab')}, "
                f"{where.right} of {counted(where.questions, 'question')} right."
            )
    for lesson_id in states:
        if course.outline(lesson_id) is None:
            output.write(
                f"{lesson_id}: no longer in the course, but your progress in it is stored."
            )
    memory = review.memory(progress.state(), review_questions(course), progress.clock())
    if said := in_one_line(memory):
        output.write(said)
    guesses = progress.guesses
    if guesses.rounds:
        output.write(
            f"Guessing game: {counted(guesses.rounds, 'round')}, "
            f"{guesses.learner_bits / guesses.rounds:.2f} bits per token "
            f"(the model: {guesses.model_bits / guesses.rounds:.2f})."
        )
