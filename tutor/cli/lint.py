"""`tutor lint`: what is wrong with lesson files, for those who write them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tutor import paths
from tutor.cli import output


def add_to(commands: Any) -> None:
    parser = commands.add_parser("lint", help="look lesson files over")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="lesson files, or folders of them (default: the lessons of this version)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints one line a finding; exit status 1 when one of them is an error."""
    from tutor.course.lint import lint

    findings = lint(options.paths or [paths.lessons_folder()])
    if options.json:
        output.write_json(findings)
    else:
        for finding in findings:
            output.write(str(finding))
        if not findings:
            output.write("Nothing to say: every lesson is in order.")
    return 1 if any(finding.level == "error" for finding in findings) else 0
