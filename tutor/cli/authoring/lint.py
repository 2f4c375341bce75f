"""Implement `tutor lint`, which checks lesson files for their authors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor import paths
from tutor.cli import output
from tutor.cli.status_line import StatusLine
from tutor.language import _

if TYPE_CHECKING:
    from tutor.authoring.lint import Finding, Report
    from tutor.lm.language_model import LanguageModel
    from tutor.models import FoundModel


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "lint",
        parents=[for_model],
        help=_("check lesson files"),
        description=_(
            "Check the format of lesson files and look for anything that could confuse a "
            "learner. If the model is installed, also check that quoted numbers are right and that "
            "the labs can be solved."
        ),
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help=_("lesson files, or folders of lesson files (default: the bundled lessons)"),
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.add_argument(
        "--no-model", action="store_true", help=_("skip the checks that need the model")
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one line per finding. Return 1 if any finding is an error, and 0 otherwise."""
    from tutor.authoring.lint import in_order, look_over

    report = look_over(options.paths or [paths.lessons_folder()])
    findings = list(report.findings)
    if report.lessons and not options.no_model:
        findings += _with_the_model(report, options.model)
    findings = list(in_order(findings))
    if options.json:
        output.write_json(findings)
    else:
        for finding in findings:
            output.write(str(finding))
        if not findings:
            output.write(_("No problems found."))
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _with_the_model(report: Report, spec: str | None) -> Sequence[Finding]:
    """Check the lessons against the model, or return a warning if the model isn't installed."""
    from tutor.models.find import find_model
    from tutor.models.installed import installed_default

    found = find_model(spec) if spec else installed_default()
    if found is None:
        return [
            report.lessons[0].finding(
                "",
                "warning",
                _("Numbers, labs and predictions were not checked: the model is not installed."),
                _("Download it with `tutor model pull`, or use --no-model to skip these checks."),
            )
        ]
    return _asked(report, found)


def _asked(report: Report, found: FoundModel) -> Sequence[Finding]:
    from tutor.authoring.ask import Ask
    from tutor.authoring.claims import check
    from tutor.authoring.kept_answers import KeptAnswers
    from tutor.models.installed import content_checksum
    from tutor.models.report import in_words

    line = StatusLine(sys.stderr, always=False)

    def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
        line.show(in_words(stage, done, total))

    def load() -> LanguageModel:
        from tutor.lm.load import load_model

        return load_model(found, on_stage=on_stage, exact=True)

    memory = KeptAnswers(found.sha256 or content_checksum(found))
    try:
        return check(
            report.lessons,
            Ask(memory, load),
            lambda done, total: line.show(
                _("Checking against the model"),
                figures=_("{done} of {total}").format(done=done, total=total),
            ),
        )
    finally:
        line.clear()
        memory.save()
