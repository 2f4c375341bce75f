"""Parse the command line, run the command, and report errors.

The exit status is 0 for success, 1 for a failure, 2 for a usage error, 130 after an interruption,
and 141 if the program that reads the output has closed the pipe (`tutor step ... | head`).
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tutor import language
from tutor.app.terminal import line
from tutor.cli import app, lockdown, output
from tutor.cli.commands import COMMANDS, InGroups, Parser, add_commands, needed_by, without_commands
from tutor.cli.errors import LoginRefused
from tutor.cli.interrupted import interrupted
from tutor.errors import RequestCancelled, TutorError, UsageError
from tutor.language import _
from tutor.lm.distribution import DEVICES
from tutor.lm.fast.lean_import import import_lean
from tutor.lm.fast.shortage import shortage_in_words
from tutor.lm.fast.waiting import settle_waiting
from tutor.settings.catalogue import ENTRIES, Entry, Value
from tutor.settings.effective import in_effect
from tutor.vendors.catalogue import use_base_url

Options = argparse.ArgumentParser | argparse._ArgumentGroup

FAILURE = 1
WRONG_USAGE = 2
BROKEN_PIPE = 141

_DESCRIPTION = _("""\
Learn what a large language model is by taking a real one apart, one token at a time.
Run tutor without a command to open the app.""")

_EXAMPLES = _("""\
examples:
  tutor                                                  open the app
  tutor step "The capital of France is" --top 5          print the next tokens
  tutor lab attention                                    open a lab
  tutor review                                           review what is due
  tutor --model hf:HuggingFaceTB/SmolLM2-360M-Instruct   use another model""")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments` (default: `sys.argv`), and return the exit status."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        options = command_line(given)
        _settle(options, given)
        settle_waiting()
        import_lean()
        with shortage_in_words("this"):
            status = int(options.run(options) or 0)
        output.flush()
    except (KeyboardInterrupt, RequestCancelled):
        return interrupted()
    except TutorError as error:
        output.complain(error)
        return WRONG_USAGE if isinstance(error, UsageError) else FAILURE
    except BrokenPipeError:
        # Without this redirection, the interpreter would flush again at exit, and print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status


def _settle(options: argparse.Namespace, given: Sequence[str]) -> None:
    """Apply the options that all commands share. Raises `UsageError`."""
    if options.asked is not None:
        raise LoginRefused
    if options.version:
        from tutor.cli import version

        options.run = version.run
    elif options.check:
        raise UsageError("--check only works after --version.", "Run `tutor --version --check`.")
    elif options.kiosk and options.run is not app.run:
        raise UsageError("--kiosk cannot be combined with a command.", "Remove the command.")
    if options.kiosk:
        lockdown.lock_down(options, given)
    variables = {
        "TUTOR_DEVICE": options.device,
        "TUTOR_DATA": options.data_folder,
        "TUTOR_SHARED": options.shared_folder,
        "TUTOR_LEARNER": options.learner,
    }  # The engine process inherits these variables.
    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
    _settle_settings(options)
    if options.base_url is not None:
        from tutor.cli.model.command import run_check

        # `tutor model check` also takes the model as an argument.
        named = options.name if options.run is run_check else None
        use_base_url(options.base_url, named or options.model)


def _settle_settings(options: argparse.Namespace) -> None:
    """Set `options.settings`, and apply the settings that all commands or child processes need."""
    options.settings = effective = in_effect(_option_of(options), kiosk=options.kiosk)
    settings = effective.settings
    options.ascii = settings.ascii
    variables = {
        language.VARIABLE: settings.language,
        line.WANTED: "1" if settings.low_bandwidth else "",
        "TUTOR_MODEL": settings.model if effective.source("model") == "file" else "",
    }
    os.environ.update({name: value for name, value in variables.items() if value})
    if not settings.low_bandwidth:
        os.environ.pop(line.WANTED, None)  # its value may be "off"


def _option_of(options: argparse.Namespace) -> Callable[[Entry], Value | None]:
    """Return a function that looks up the value given for a setting on the command line.

    The function returns None if no value was given.
    """

    def given(entry: Entry) -> Value | None:
        value = getattr(options, entry.name, None) if entry.option.startswith("--") else None
        return value or None

    return given


def parser() -> argparse.ArgumentParser:
    """Return the parser for the whole command line."""
    return _parser(COMMANDS)


def command_line(given: list[str]) -> argparse.Namespace:
    """Return the options in `given`. Imports only the commands that it needs.

    Exits if `given` asks for help or contains an error, like `parse_args`.
    """
    options = without_commands(allow_abbrev=False)
    _add_options(options)
    return _parser(needed_by(given, options)).parse_args(given)


def _parser(names: Iterable[str]) -> argparse.ArgumentParser:
    """Return the parser for the options and the commands in `names`."""
    top = Parser(
        prog="tutor",
        usage=_("%(prog)s [OPTION ...] [COMMAND ...]"),
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=InGroups,
        allow_abbrev=False,
    )
    _add_options(top)
    if names:
        commands = top.add_subparsers(title=_("commands"), metavar="COMMAND", prog="tutor")
        add_commands(commands, _options_after_a_command(), names)
    return top


def _options_after_a_command() -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the global options that can also follow a command.

    These parsers set no defaults, because defaults would overwrite the values given before the
    command.
    """
    after = {
        name: argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
        for name in ("model", "learner", "course")
    }
    _add_model(after["model"])
    _add_learner(after["learner"])
    _add_course(after["learner"])
    _add_course(after["course"])
    return after


def _add_options(top: argparse.ArgumentParser) -> None:
    """Add the options that come before a command, and the defaults that all commands share."""
    top.add_argument("--version", action="store_true", help=_("print the version and exit"))
    top.add_argument(
        "--check",
        action="store_true",
        help=_("with --version: ask the package index whether there is a newer version"),
    )
    _add_model(top.add_argument_group(_("the model")))
    of_learner = top.add_argument_group(_("the learner and the course"))
    _add_learner(of_learner)
    _add_course(of_learner)
    display = top.add_argument_group(_("the screen"))
    display.add_argument(
        "--theme",
        choices=ENTRIES["theme"].stops,
        help=_("the colors of the screen (default: auto, which follows the terminal's background)"),
    )
    display.add_argument(
        "--ascii", action="store_true", help=_("draw the app, including diagrams, in ASCII")
    )
    display.add_argument(
        "--plain",
        action="store_true",
        help=_("take the whole course in plain text, for screen readers and pipes (docs/plain.md)"),
    )
    display.add_argument(
        "--screen-reader",
        action="store_true",
        help=_("describe the selected row in one line, and draw no lines or bars (docs/plain.md)"),
    )
    display.add_argument(
        "--low-bandwidth",
        action="store_true",
        help=_("draw in fewer colors, and less often while the model runs (docs/ssh.md)"),
    )
    display.add_argument(
        "--mouse",
        choices=("on", "off", "auto"),
        help=_("switch the mouse on or off (default: the mouse setting; see docs/ssh.md)"),
    )
    _add_login(top.add_argument_group(_("hosting")))
    top.set_defaults(
        model=None,
        base_url=None,
        device=None,
        learner="me",
        course=None,
        language=None,
        run=app.run,
    )


def _add_model(target: Options) -> None:
    target.add_argument(
        "--model",
        metavar="MODEL",
        help=_(
            "the model to use: a GGUF file, a model folder, hf:OWNER/REPO[/FILE], the name of "
            "an installed model, or a remote model (openai:NAME, claude:NAME, gemini:NAME)"
        ),
    )
    target.add_argument(
        "--base-url",
        metavar="URL",
        help=_("the URL of the remote model's server, such as http://127.0.0.1:8000/v1"),
    )
    target.add_argument(
        "--device",
        choices=DEVICES,
        help=_("what the model runs on (default: a GPU if PyTorch finds one, else the CPU)"),
    )


def _add_course(target: Options) -> None:
    target.add_argument(
        "--course",
        type=Path,
        metavar="FOLDER",
        help=_("use the lessons in this folder; your progress in them is stored separately"),
    )
    target.add_argument(
        "--language",
        metavar="CODE",
        help=_("the language of the lessons and the interface, where they are translated"),
    )


def _add_learner(target: Options) -> None:
    target.add_argument(
        "--learner",
        metavar="NAME",
        help=_("the learner's name, if several learners share an account (default: me)"),
    )


def _add_login(top: Options) -> None:
    top.add_argument(
        "--kiosk",
        action="store_true",
        help=_("lock down a login that only runs tutor (docs/kiosk.md)"),
    )
    top.add_argument(
        "--idle-limit",
        type=lockdown.minutes,
        metavar="MINUTES",
        help=_(
            "exit after this many minutes without a key press (0: never; default with --kiosk: 30)"
        ),
    )
    top.add_argument(
        "--data",
        dest="data_folder",
        type=Path,
        metavar="FOLDER",
        help=_("the folder for your data (overrides TUTOR_DATA)"),
    )
    top.add_argument(
        "--shared",
        dest="shared_folder",
        type=Path,
        metavar="FOLDER",
        help=_("the machine-wide folder for models and due dates (overrides TUTOR_SHARED)"),
    )
    # `tutor serve` starts the app with this option and the size of the page.
    top.add_argument("--browser", metavar="SIZE", help=argparse.SUPPRESS)
    # sshd passes the client's command to a login shell with -c.
    top.add_argument("-c", dest="asked", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
