"""`tutor review`: what is due."""

from __future__ import annotations

import argparse
from typing import Any

from tutor.cli import learning, output


def add_to(
    commands: Any, for_learner: argparse.ArgumentParser, for_model: argparse.ArgumentParser
) -> None:
    parser = commands.add_parser(
        "review",
        parents=[for_learner, for_model],
        help="review what is due",
        description="Opens the tutor at the questions that are due.",
    )
    parser.add_argument(
        "--due",
        action="store_true",
        help="only print how many questions are due today, for a shell prompt or a mail",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return _print_due(options) if options.due else _open(options)


def _print_due(options: argparse.Namespace) -> int:
    from tutor.app.asked import asked
    from tutor.learner import review

    progress = learning.progress_of(options)
    state = progress.state()
    due = 0
    if state.cards:
        questions = asked(learning.course_of(options))
        limit = review.limits(progress.setting)
        due = len(review.queue(state, questions, progress.clock(), limit).due)
    output.write(str(due))
    learning.complain_of(progress)
    return 0


def _open(options: argparse.Namespace) -> int:
    from tutor.cli.app import check_terminal

    check_terminal()
    from tutor.app import terminal
    from tutor.app.app import make_app

    app = make_app(
        options.model,
        options.learner,
        course=learning.course_folder(options),
        ascii_only=options.ascii,
        start="review",
    )
    return terminal.run(app)
