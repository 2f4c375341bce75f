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
    from tutor.study.memory_words import over_limit
    from tutor.study.review_questions import review_questions

    progress, course = learning.progress_of(options), learning.course_of(options)
    state, now = progress.state(), progress.clock()
    limits = learning.limits_of(options, progress)
    queue = review.queue(state, review_questions(course), now, limits)
    reviews = len(queue.due)
    found = duties(paths.class_file(), course, progress, now)
    lessons = found.lessons.values()
    if options.json:
        output.write_json(Status(reviews, tuple(lessons), queue.held_back))
    else:
        lines = []
        if reviews:
            lines += [_("{questions} to review").format(questions=counted(reviews, "question"))]
        if queue.held:
            lines += [over_limit(queue, limits, more=bool(reviews))]
        lines += [f"{each.number} {each.title}: {in_words(each, now)}" for each in lessons]
        output.write("\n".join(lines) or _("Nothing is due."))
    for problem in found.problems:
        output.complain(problem)
    learning.complain_of(progress)
    return 0
