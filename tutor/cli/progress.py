"""Implement `tutor progress`, which shows, exports and imports a learner's progress."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.cli import learning, output
from tutor.language import _, ngettext
from tutor.text import counted, printable_json, safe

if TYPE_CHECKING:
    from tutor.learner.progress import Progress


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "progress",
        parents=[for_learner],
        help=_("show, export or import a learner's progress"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print everything that is stored, as JSON")
    )
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(title=_("commands"), metavar="COMMAND")

    export = actions.add_parser(
        "export",
        parents=[for_learner],
        help=_("export progress as JSON, Markdown or Anki cards"),
        description=_(
            "Write everything that is stored about a learner: every answer, and the "
            "figures computed from the answers."
        ),
    )
    kinds = export.add_mutually_exclusive_group()
    kinds.add_argument(
        "--anki",
        action="store_true",
        help=_("write your review cards as text that Anki imports"),
    )
    kinds.add_argument(
        "--markdown",
        action="store_true",
        help=_("write readable Markdown (only JSON can be imported)"),
    )
    export.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=_("the file to write (default: standard output)"),
    )
    export.set_defaults(run=run_export)

    import_ = actions.add_parser(
        "import",
        parents=[for_learner],
        help=_("add progress from other machines"),
        description=_(
            "Add progress from other machines. Importing the same progress again changes nothing."
        ),
    )
    import_.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=_("an export (JSON) or a learner's reviews.log"),
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
        limits = learning.limits_of(options, progress)
        text = details(options.learner, course, progress.state(), progress.clock(), limits)
        data = safe(text).encode() + b"\n"
    elif options.anki:
        data = _cards(progress, options).encode()
    else:
        data = printable_json(msgspec.json.encode(exchange.export(progress))) + b"\n"
    if options.file is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    else:
        exchange.write(options.file, data)
    learning.complain_of(progress)
    return 0


def _cards(progress: Progress, options: argparse.Namespace) -> str:
    """Return the cards of all answered questions that are still in the course."""
    from tutor.cli.anki import anki

    course, cards = learning.course_of(options), progress.cards()
    answered = [
        (lesson.id, question)
        for lesson in course.lessons
        for question in lesson.questions
        if question.id in cards
    ]
    if not answered:
        output.note(
            _(
                "There are no cards yet, because you have not answered any questions. "
                "Run `tutor`, open a lesson, and answer its questions."
            )
        )
    return anki(answered)


def run_import(options: argparse.Namespace) -> int:
    """Import the files. If one of them is invalid, import none."""
    from tutor.learner import exchange

    progress = learning.progress_of(options)
    bundles = [exchange.read(file, progress.clock()) for file in options.files]
    merged = exchange.merge(progress, bundles)
    output.write(
        _("Imported {added:,} new events; {known:,} were already there.").format(
            added=merged.added, known=merged.known
        )
    )
    if damaged := sum(bundle.damaged for bundle in bundles):
        said = ngettext(
            "{count} line could not be read and was skipped.",
            "{count} lines could not be read and were skipped.",
            damaged,
        )
        output.note(said.format(count=f"{damaged:,}"))
    learning.complain_of(progress)
    return 0


def _describe(progress: Progress, options: argparse.Namespace) -> None:
    """Print the same figures as the progress screen.

    Questions and screens that are no longer in the lessons don't count.
    """
    from tutor.learner import review
    from tutor.study.lesson_progress import lesson_progress
    from tutor.study.memory_words import in_one_line
    from tutor.study.review_questions import review_questions

    course, states, cards = learning.course_of(options), progress.lessons(), progress.cards()
    if not states and not cards:
        output.write(_("No lesson has been opened yet."))
    for lesson in course.outlines:
        where = lesson_progress(lesson, progress.lesson(lesson.id), cards)
        if where.started:
            output.write(
                _(
                    "{number:2}  {title}: "
                    "{seen} of {screens}, "
                    "{goals} of {labs}, "
                    "{right} of {questions} right."
                ).format(
                    number=lesson.number,
                    title=lesson.title,
                    seen=where.seen,
                    screens=counted(where.screens, "screen"),
                    goals=where.goals,
                    labs=counted(where.labs, "lab"),
                    right=where.right,
                    questions=counted(where.questions, "question"),
                )
            )
    for lesson_id in states:
        if course.outline(lesson_id) is None:
            output.write(
                _("{lesson_id}: no longer in the course, but your progress in it is kept.").format(
                    lesson_id=lesson_id
                )
            )
    memory = review.memory(progress.state(), review_questions(course), progress.clock())
    if said := in_one_line(memory):
        output.write(said)
    guesses = progress.guesses
    if guesses.rounds:
        output.write(
            _(
                "Guessing game: {rounds}, "
                "{learner_bits:.2f} bits per token "
                "(the model: {model_bits:.2f})."
            ).format(
                rounds=counted(guesses.rounds, "round"),
                learner_bits=guesses.learner_bits / guesses.rounds,
                model_bits=guesses.model_bits / guesses.rounds,
            )
        )
