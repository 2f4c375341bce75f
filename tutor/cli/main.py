"""Reads the command line, runs the command, and says at the edge what went wrong.

Exit status: 0 for success, 1 for a failure, 2 for wrong usage, 130 when interrupted, 141 when
nobody reads the output any more (`tutor step ... | head`).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tutor import __version__
from tutor.app.terminal import line
from tutor.cli import (
    app,
    engine,
    lab,
    lessons,
    lint,
    lockdown,
    new,
    output,
    preview,
    progress,
    release,
    review,
    status,
    train,
)
from tutor.cli.bot import command as bot
from tutor.cli.classroom import command as classroom
from tutor.cli.errors import LoginRefused
from tutor.cli.interrupted import interrupted
from tutor.cli.model import command as model
from tutor.cli.rag import command as rag
from tutor.cli.report import command as report
from tutor.cli.step import command as step
from tutor.errors import RequestCancelled, TutorError, UsageError
from tutor.lm.distribution import DEVICES
from tutor.lm.fast.shortage import shortage_in_words
from tutor.lm.fast.waiting import settle_waiting

FAILURE = 1
WRONG_USAGE = 2
BROKEN_PIPE = 141

_DESCRIPTION = """\
Learn what a large language model is by taking a real one apart, one token at a time.
Without a command, the tutor itself starts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments` (default: those of this process); the exit status."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        options = parser().parse_args(given)
        _settle(options, given)
        settle_waiting()
        with shortage_in_words("this"):
            status = int(options.run(options) or 0)
        output.flush()
    except (KeyboardInterrupt, RequestCancelled):
        return interrupted()
    except TutorError as error:
        output.complain(error)
        return WRONG_USAGE if isinstance(error, UsageError) else FAILURE
    except BrokenPipeError:
        # or the interpreter would try to flush, and complain, once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status


def _settle(options: argparse.Namespace, given: Sequence[str]) -> None:
    """What counts for every command. Raises `UsageError`."""
    if options.asked is not None:
        raise LoginRefused
    if options.kiosk and options.run is not app.run:
        raise UsageError("--kiosk takes no command.", "It runs the tutor itself.")
    if options.kiosk:
        lockdown.lock_down(options, given)
    settings = {
        "TUTOR_DEVICE": options.device,
        "TUTOR_BASE_URL": options.base_url,
        "TUTOR_DATA": options.data_folder,
        "TUTOR_SHARED": options.shared_folder,
        "TUTOR_LEARNER": options.learner,
        line.WANTED: "1" if options.low_bandwidth else None,
    }  # the engine's process inherits them
    os.environ.update({name: str(value) for name, value in settings.items() if value is not None})


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="tutor", description=_DESCRIPTION, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"tutor {__version__}")
    _add_model(top)
    _add_learner(top)
    _add_course(top)
    top.add_argument(
        "--ascii", action="store_true", help="draw with ASCII characters alone, diagrams too"
    )
    top.add_argument(
        "--low-bandwidth",
        action="store_true",
        help="draw in fewer colors, and less often while the model runs (docs/ssh.md)",
    )
    _add_login(top)
    top.set_defaults(model=None, base_url=None, device=None, learner="me", course=None, run=app.run)
    # Given after a command these mean the same; suppressed defaults leave what came before alone.
    for_model = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_model(for_model)
    for_learner = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_learner(for_learner)
    _add_course(for_learner)
    for_course = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_course(for_course)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    step.add_to(commands, for_model)
    bot.add_to(commands, for_model)
    model.add_to(commands, for_model)
    lab.add_to(commands, for_learner, for_model)
    lessons.add_to(commands, for_course)
    review.add_to(commands, for_learner, for_model)
    progress.add_to(commands, for_learner)
    report.add_to(commands, for_learner)
    status.add_to(commands, for_learner)
    classroom.add_to(commands, for_learner)
    new.add_to(commands, for_course)
    preview.add_to(commands, for_model)
    lint.add_to(commands, for_model)
    release.add_to(commands, for_course)
    train.add_to(commands)
    rag.add_to(commands, for_model)
    engine.add_to(commands, for_model)
    return top


def _add_model(target: argparse.ArgumentParser) -> None:
    target.add_argument(
        "--model",
        metavar="MODEL",
        help="a GGUF file, a model folder, hf:OWNER/REPO[/FILE], the name of an installed model, "
        "or a model elsewhere: openai:NAME, claude:NAME, gemini:NAME",
    )
    target.add_argument(
        "--base-url",
        metavar="URL",
        help="the server of openai:NAME, such as http://127.0.0.1:8000/v1",
    )
    target.add_argument(
        "--device",
        choices=DEVICES,
        help="where the model runs (default: a graphics card if PyTorch finds one, else the CPU)",
    )


def _add_course(target: argparse.ArgumentParser) -> None:
    target.add_argument(
        "--course",
        type=Path,
        metavar="FOLDER",
        help="lessons of somebody else; what you do there is kept apart",
    )


def _add_learner(target: argparse.ArgumentParser) -> None:
    target.add_argument(
        "--learner",
        metavar="NAME",
        help="whose progress it is, where several share an account (default: me)",
    )


def _add_login(top: argparse.ArgumentParser) -> None:
    top.add_argument(
        "--kiosk",
        action="store_true",
        help="a login that is the tutor and nothing else: docs/kiosk.md",
    )
    top.add_argument(
        "--idle-limit",
        type=lockdown.minutes,
        metavar="MINUTES",
        help="leave when no key was pressed for so long (with --kiosk: 30; 0: never)",
    )
    top.add_argument(
        "--data",
        dest="data_folder",
        type=Path,
        metavar="FOLDER",
        help="what is kept of you, instead of TUTOR_DATA",
    )
    top.add_argument(
        "--shared",
        dest="shared_folder",
        type=Path,
        metavar="FOLDER",
        help="models of a class, instead of TUTOR_SHARED",
    )
    # sshd hands a login shell what the client wants to run this way
    top.add_argument("-c", dest="asked", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
