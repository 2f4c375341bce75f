"""Implement `tutor review`, which opens or counts the questions that are due."""

import argparse
from typing import Any

from tutor.cli import app, learning, output
from tutor.language import _

MOST = 10_000
"""The maximum value of `--cap` and `--new`. No learner needs a higher limit."""


def add_to(
    commands: Any, for_learner: argparse.ArgumentParser, for_model: argparse.ArgumentParser
) -> None:
    parser = commands.add_parser(
        "review",
        parents=[for_learner, for_model],
        help=_("review the questions that are due"),
        description=_("Open the app and review the questions that are due."),
    )
    parser.add_argument(
        "--due",
        action="store_true",
        help=_("print the number of questions due today and exit, for a shell prompt or an email"),
    )
    parser.add_argument(
        "--cap",
        type=_count,
        metavar="N",
        help=_("set the maximum number of reviews a day (initially 40)"),
    )
    parser.add_argument(
        "--new",
        type=_count,
        metavar="N",
        help=_("set how many of them can be new questions (initially 10)"),
    )
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= MOST):
        raise argparse.ArgumentTypeError(
            _("{text!r} is not a number from 0 to {most:,}").format(text=text[:20], most=MOST)
        )
    return int(text)


def run(options: argparse.Namespace) -> int:
    _set_limits(options)
    return _print_due(options) if options.due else app.run(options, start="review")


def _set_limits(options: argparse.Namespace) -> None:
    from tutor.learner import review

    given = {review.CAP_SETTING: options.cap, review.NEW_SETTING: options.new}
    for name, value in given.items():
        if value is not None:
            learning.progress_of(options).save_setting(name, value)


def _print_due(options: argparse.Namespace) -> int:
    from tutor.learner import review
    from tutor.study.review_questions import review_questions

    progress = learning.progress_of(options)
    state = progress.state()
    due = 0
    if state.cards:
        questions = review_questions(learning.course_of(options))
        limit = review.limits(progress.setting, options.settings.settings.review)
        due = len(review.queue(state, questions, progress.clock(), limit).due)
    output.write(str(due))
    learning.complain_of(progress)
    return 0
