"""Format `tutor --help` with the commands in groups."""

import argparse

GROUPS = {
    "learn": ("lab", "lessons", "review", "progress", "report", "status"),
    "look at the model": ("step", "diff", "bot", "rag", "train", "model"),
    "teach, and write lessons": ("class", "new", "preview", "lint", "release"),
    "this machine": ("engine", "serve", "config", "doctor", "completion"),
}
"""The commands in each group, in the order in which the help lists them."""


class InGroups(argparse.RawDescriptionHelpFormatter):
    """A help formatter that prints a heading above each group of commands."""

    def _format_action(self, action: argparse.Action) -> str:
        lines = super()._format_action(action)
        if not isinstance(action, argparse._SubParsersAction):
            return lines
        for heading, (first, *_) in GROUPS.items():
            lines = lines.replace(f"\n    {first} ", f"\n  {heading}:\n    {first} ", 1)
        return lines.partition("\n")[2]  # The first line contains only COMMAND.
