"""Implement `tutor report`, which prints a one-page report about a learner.

The report is for the learner or a teacher.
"""

import argparse
from typing import Any

from tutor.cli import learning, output
from tutor.language import _


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "report",
        parents=[for_learner],
        help=_("print a one-page progress report, as Markdown"),
        description=_(
            "Print a one-page report about a learner's progress, as Markdown: what the "
            "learner has done, knows, and should review."
        ),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.cli.report.text import report

    course, progress = learning.course_of(options), learning.progress_of(options)
    limits = learning.limits_of(options, progress)
    output.write(report(options.learner, course, progress.state(), progress.clock(), limits))
    learning.complain_of(progress)
    return 0
