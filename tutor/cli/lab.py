"""Implement `tutor lab`, which opens a lab by name or lists all labs."""

import argparse
from typing import Any

import msgspec

from tutor.cli import app, learning, output
from tutor.errors import UsageError
from tutor.labs.kit import registry
from tutor.language import _


class Listed(msgspec.Struct):
    """One lab in the output of `tutor lab --list --json`. Other programs depend on its fields."""

    name: str
    lesson: str
    goals: list[str]


def add_to(commands: Any, *parents: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "lab",
        parents=list(parents),
        help=_("open a lab by name, or list all labs"),
        description=_("Open a lab by name, or list all labs and their goals."),
    )
    parser.add_argument("lab", nargs="?", metavar="NAME", help=_("the lab's name (see --list)"))
    parser.add_argument("--list", action="store_true", help=_("list all labs and their goals"))
    parser.add_argument("--json", action="store_true", help=_("with --list: print JSON"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.json and not options.list:
        raise UsageError("--json only works with --list.", "Use `tutor lab --list --json`.")
    if options.list:
        _print_list(options)
        return 0
    if options.lab is None:
        raise UsageError("The name of a lab is missing.", "Run `tutor lab --list` to see all labs.")
    registry.find(options.lab)  # Report an unknown name before the app opens.
    return app.run(options, lab=options.lab)


def _print_list(options: argparse.Namespace) -> None:
    labs = registry.every()
    if options.json:
        listed = [Listed(lab.name, lab.lesson, [goal.name for goal in lab.goals]) for lab in labs]
        output.write_json(listed)
        return
    progress = learning.progress_of(options)
    learning.complain_of(progress)
    for lab in labs:
        reached = progress.lesson(lab.lesson).goals_reached.get(lab.name, ())
        output.write(
            _("{name:<20}{title} (lesson {lesson})").format(
                name=lab.name, title=lab.title, lesson=lab.lesson
            )
        )
        output.write(f"  {lab.about}.")
        for goal in lab.goals:
            output.write(f"  {'✓' if goal.name in reached else '○'} {goal.says}")
