"""List the commands, import those that a command line needs, and group them in the help."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, NoReturn

from tutor.language import _

COMMANDS = {
    "lab": ("lab", "learner", "model"),
    "open": ("step.open_text", "learner", "model"),
    "lessons": ("lessons", "course"),
    "review": ("review", "learner", "model"),
    "progress": ("progress", "learner"),
    "report": ("report.command", "learner"),
    "status": ("status", "learner"),
    "step": ("step.command", "model"),
    "diff": ("diff.command", "model"),
    "why": ("why.command", "model"),
    "bot": ("bot.command", "model"),
    "rag": ("rag.command", "model"),
    "train": ("train",),
    "model": ("model.command", "model"),
    "class": ("classroom.command", "learner"),
    "new": ("authoring.new", "course"),
    "preview": ("authoring.preview", "model"),
    "lint": ("authoring.lint", "model"),
    "release": ("authoring.release", "course"),
    "engine": ("engine", "model"),
    "serve": ("serve.command", "learner", "model"),
    "config": ("config",),
    "doctor": ("doctor", "model"),
    "completion": ("completion",),
}
"""The module of each command in `tutor.cli`, and the global options that can also follow it.

`tutor --help` lists the commands in the same order.
"""
GROUPS = {
    "learn": ("lab", "lessons", "review", "progress", "report", "status"),
    "look at the model": ("step", "diff", "why", "bot", "rag", "train", "model"),
    "teach, and write lessons": ("class", "new", "preview", "lint", "release"),
    "this machine": ("engine", "serve", "config", "doctor", "completion"),
}
"""The commands in each group, in the order in which the help lists them."""


def add_commands(
    commands: Any, options: Mapping[str, argparse.ArgumentParser], names: Iterable[str]
) -> None:
    """Import the modules of the commands in `names`, and add their parsers to `commands`.

    `options` contains the parsers of the global options that can also follow a command.
    """
    for name in names:
        module, *parents = COMMANDS[name]
        import_module(f"tutor.cli.{module}").add_to(
            commands, *(options[parent] for parent in parents)
        )


class _Unclear(Exception):
    """The command line cannot be parsed without the parsers of the commands."""


class _WithoutCommands(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise _Unclear(message)


def without_commands(**settings: Any) -> argparse.ArgumentParser:
    """Return a parser for `needed_by` that does not print errors."""
    return _WithoutCommands(add_help=False, **settings)


def needed_by(given: list[str], options: argparse.ArgumentParser) -> list[str]:
    """Return the commands whose parsers are needed to parse the command line in `given`.

    `options` is a parser of the options that come before a command, from `without_commands`. The
    result is empty if there is no command. It contains all commands if the command line asks for
    help or contains an error, because help and error messages list all commands.
    """
    if any(each.startswith(("-h", "--h")) for each in given):
        return list(COMMANDS)
    try:
        rest = options.parse_known_args(given)[1]
    except _Unclear:
        return list(COMMANDS)
    if not rest:
        return []
    return [rest[0]] if rest[0] in COMMANDS else list(COMMANDS)


class Parser(argparse.ArgumentParser):
    """A parser whose errors name the command, and say how to get help on it.

    The parsers of the commands have the same class.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments. An unknown argument of a command is an error of that command."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(_("unrecognized arguments: {rest}").format(rest=" ".join(rest)))
        return found, rest

    def error(self, message: str) -> NoReturn:
        help_ = _("Run `{command} --help` to see how it is used.").format(command=self.prog)
        super().error(f"{message}\n{help_}")


class InGroups(argparse.RawDescriptionHelpFormatter):
    """A help formatter that prints a heading above each group of commands."""

    def _format_action(self, action: argparse.Action) -> str:
        lines = super()._format_action(action)
        if not isinstance(action, argparse._SubParsersAction):
            return lines
        for heading, (first, *_others) in GROUPS.items():
            lines = lines.replace(f"\n    {first} ", f"\n  {heading}:\n    {first} ", 1)
        return lines.partition("\n")[2]  # Drop the first line, which is COMMAND.
