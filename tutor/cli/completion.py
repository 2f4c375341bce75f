"""Implement `tutor completion`, which prints a script for command-line completion in a shell."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutor.cli import output
from tutor.labs.kit import registry
from tutor.language import _

SHELLS = ("bash", "zsh", "fish")
NAME, OTHER_NAME = "tutor", "llm-tutor"
"""The two names of the command (`project.scripts` in pyproject.toml)."""

_DESCRIPTION = _("""\
Print a script that completes commands, options, labs and files.

  bash   eval "$(tutor completion bash)"               in ~/.bashrc
  zsh    eval "$(tutor completion zsh)"                in ~/.zshrc, after compinit
  fish   tutor completion fish > ~/.config/fish/completions/tutor.fish

The scripts also complete llm-tutor, the other name of the command. For fish, save the same script
as llm-tutor.fish, too.""")


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
    output.write(_for_both_commands(shtab.complete(whole, shell=options.shell), options.shell))
    return 0


def _for_both_commands(script: str, shell: str) -> str:
    """Return the completion script, extended to the other name of the command."""
    match shell:
        case "bash":
            return re.sub(
                rf"^(complete .*) {NAME}$", rf"\1 {NAME} {OTHER_NAME}", script, flags=re.M
            )
        case "zsh":
            script = script.replace(f"#compdef {NAME}\n", f"#compdef {NAME} {OTHER_NAME}\n", 1)
            return script.replace(f" -N {NAME}\n", f" -N {NAME} {OTHER_NAME}\n")
        case _:
            return f"{script}\ncomplete -c {OTHER_NAME} -w {NAME}\n"


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of the parser and of all its subcommands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
