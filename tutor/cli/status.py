"""Implement `tutor status`, which prints what is due, for a shell prompt or an email."""

import argparse
from typing import Any

from tutor import paths
from tutor.cli import learning, output
from tutor.language import _
from tutor.text import counted


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "status", parents=[for_learner], help=_("show which reviews and lessons are due")
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.classroom.due import Status, duties, in_words
    from tutor.learner import review
    from tutor.study.review_questions import review_questions

    progress, course = learning.progress_of(options), learning.course_of(options)
    state, now = progress.state(), progress.clock()
    limits = review.limits(progress.setting, options.settings.settings.review)
    reviews = len(review.queue(state, review_questions(course), now, limits).due)
    found = duties(paths.class_file(), course, progress, now)
    lessons = found.lessons.values()
    if options.json:
        output.write_json(Status(reviews, tuple(lessons)))
    else:
        lines = [f"{each.number} {each.title}: {in_words(each, now)}" for each in lessons]
        if reviews:
            lines.insert(
                0, _("{questions} to review").format(questions=counted(reviews, "question"))
            )
        output.write("\n".join(lines) or _("Nothing is due."))
    for problem in found.problems:
        output.complain(problem)
    learning.complain_of(progress)
    return 0
