"""Implement `tutor review`, which opens or counts the questions that are due."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tutor.cli import app, learning, output
from tutor.language import _

if TYPE_CHECKING:
    from tutor.learner.progress import Progress

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
        help=_("set the maximum number of new questions a day (initially 10)"),
    )
    parser.add_argument(
        "--fit",
        action=argparse.BooleanOptionalAction,
        help=_("fit the schedule to your own answers and exit; --no-fit restores the default"),
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
    if options.fit is not None:
        return _fit(options) if options.fit else _undo_fit(options)
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
        limit = learning.limits_of(options, progress)
        due = len(review.queue(state, questions, progress.clock(), limit).due)
    output.write(str(due))
    learning.complain_of(progress)
    return 0


def _fit(options: argparse.Namespace) -> int:
    """Fit FSRS's parameters to the learner's answers, and print how well they predict them.

    The parameters are saved if they predict the answers better than the current ones.
    """
    from tutor.learner import schedule
    from tutor.study import fit

    progress = learning.progress_of(options)
    state = progress.state()
    of = fit.histories(progress.events(), state.forgotten)
    reviews = [answer for history in of for answer in fit.reviews(history)]
    if len(reviews) >= fit.FEWEST:
        output.note(_("Fitting. This can take a few minutes; Ctrl+C stops it and changes nothing."))
    parameters = fit.fitted(of)
    before = fit.measured(of, schedule.parameters_in(state.settings))
    after = fit.measured(of, parameters)
    right = sum(answer.correct for answer in reviews) / len(reviews)
    rows = (
        ("", _("now"), _("fitted")),
        (_("log loss (lower is better)"), f"{before.loss:.4f}", f"{after.loss:.4f}"),
        (_("mean predicted recall"), f"{before.predicted:.1%}", f"{after.predicted:.1%}"),
    )
    output.write(
        _("{count:,} reviews, of which you answered {right:.1%} right.").format(
            count=len(reviews), right=right
        )
    )
    for row in rows:
        output.write("{:<28}{:>8}{:>8}".format(*row))
    if after.loss >= before.loss:
        output.write(
            _("The current schedule fits your answers at least as well. Nothing was changed.")
        )
    else:
        _save_parameters(progress, parameters)
        output.write(_("Saved. To return to the default schedule, run `tutor review --no-fit`."))
    learning.complain_of(progress)
    return 0


def _undo_fit(options: argparse.Namespace) -> int:
    progress = learning.progress_of(options)
    _save_parameters(progress, "")
    output.write(_("Reviews use the default schedule."))
    learning.complain_of(progress)
    return 0


def _save_parameters(progress: Progress, parameters: str) -> None:
    """Save the learner's own parameters, and reschedule all questions with them."""
    from tutor.learner.schedule import FITTED

    progress.save_setting(FITTED, parameters)
    progress.change(lambda state: state)  # recomputes the state from all answers
