"""Implement `tutor completion`, which prints a script for command-line completion in a shell."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutor.cli import output
from tutor.labs.kit import registry
from tutor.language import _

SHELLS = ("bash", "zsh", "fish")

_DESCRIPTION = _("""\
Print a script that completes commands, options, labs and files.

  bash   eval "$(tutor completion bash)"               in ~/.bashrc
  zsh    eval "$(tutor completion zsh)"                in ~/.zshrc, after compinit
  fish   tutor completion fish > ~/.config/fish/completions/tutor.fish""")


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "completion",
        help=_("print a script that completes commands in bash, zsh or fish"),
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help=_("the shell"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import shtab  # shtab is slow to import, and no other command needs it.

    from tutor.cli.main import parser

    whole = parser()
    for action in _actions(whole):
        if action.type is Path:
            folder = action.metavar == "FOLDER"
            action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined]
        elif action.dest == "model":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest == "lab":
            action.choices = [lab.name for lab in registry.every()]
    output.write(shtab.complete(whole, shell=options.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of the parser and of all its subcommands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
