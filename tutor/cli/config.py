"""Implement `tutor config`, which shows and checks the settings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tutor.cli import output
from tutor.language import _
from tutor.settings.catalogue import CATALOGUE
from tutor.settings.file import config_file

if TYPE_CHECKING:
    from tutor.settings.effective import Effective
    from tutor.settings.schema import Problem


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "config",
        help=_("show and check the settings"),
        description=_("Show and check the settings in config.toml (docs/settings.md)."),
    )
    parser.set_defaults(run=run_show)
    actions = parser.add_subparsers(title="commands", metavar="COMMAND")
    path = actions.add_parser("path", help=_("print the path of config.toml"))
    path.set_defaults(run=run_path)
    show = actions.add_parser("show", help=_("print the settings, and where each comes from"))
    show.set_defaults(run=run_show)
    check = actions.add_parser("check", help=_("print every problem with its line number"))
    check.set_defaults(run=run_check)


def run_path(options: argparse.Namespace) -> int:
    output.write(str(config_file()))
    return 0


def run_show(options: argparse.Namespace) -> int:
    effective: Effective = options.settings
    rows = [
        (entry.name, entry.shown(effective.value(entry.name)), effective.explain(entry.name))
        for _, entries in CATALOGUE
        for entry in entries
    ]
    rows += [
        (f'keys."{name}"', keys, "config.toml") for name, keys in effective.settings.keys.items()
    ]
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    for name, value, source in rows:
        output.write(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    for problem in _problems(effective):
        output.note(f"tutor: {_in_words(problem)}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Print the problems with the settings. Return 1 if there are any, and 0 otherwise."""
    problems = _problems(options.settings)
    for problem in problems:
        output.write(_in_words(problem))
    if not problems:
        if config_file().exists():
            output.write(_("The settings are valid."))
        else:
            output.write(_("There is no config.toml, so there is nothing to check."))
    return 1 if problems else 0


def _in_words(problem: Problem) -> str:
    """Describe a problem on one line: its line number, what is wrong, and what to do."""
    line = _("line {line}: ").format(line=problem.line) if problem.line else ""
    return f"{line}{problem.happened} {problem.next_step}".rstrip()


def _problems(effective: Effective) -> list[Problem]:
    found = list(effective.problems)
    if keys := effective.settings.keys:
        from tutor.app.keymap import problems_of

        found += problems_of(keys, config_file().read_text(encoding="utf-8"))
    return sorted(found, key=lambda problem: problem.line)
