"""`tutor lab`: opens a lab by its name, or lists them all."""

import argparse
from typing import Any

import msgspec

from tutor.cli import app, output
from tutor.errors import UsageError
from tutor.labs.kit import registry


class Listed(msgspec.Struct):
    """One lab in `tutor lab --list --json`; other tools rely on it."""

    name: str
    lesson: str
    goals: list[str]


def add_to(commands: Any, *parents: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "lab",
        parents=list(parents),
        help="open a lab by its name, or list them",
        description="Open one of the labs, or list them.",
    )
    parser.add_argument("name", nargs="?", help="see --list")
    parser.add_argument("--list", action="store_true", help="list the labs and their goals")
    parser.add_argument("--json", action="store_true", help="with --list: as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.json and not options.list:
        raise UsageError("--json goes with --list.", "Say `tutor lab --list --json`.")
    if options.list:
        _print_list(options.json)
        return 0
    if options.name is None:
        raise UsageError("Which lab?", "`tutor lab --list` names them all.")
    registry.find(options.name)  # raises before anything is drawn
    return app.run(options, lab=options.name)


def _print_list(json: bool) -> None:
    labs = registry.every()
    if json:
        listed = [Listed(lab.name, lab.lesson, [goal.name for goal in lab.goals]) for lab in labs]
        output.write_json(listed)
        return
    for lab in labs:
        output.write(f"{lab.name:<20}{lab.title} (lesson {lab.lesson})")
        for goal in lab.goals:
            output.write(f"  ○ {goal.says}")
