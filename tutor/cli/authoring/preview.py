"""Implement `tutor preview`, which shows a lesson file and reloads it after each save."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tutor.errors import UsageError
from tutor.language import _


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "preview",
        parents=[for_model],
        help=_("preview a lesson that you are writing"),
        description=_(
            "Show a lesson file as learners see it, and reload it after each save. Your "
            "answers are not stored."
        ),
    )
    parser.add_argument("file", type=Path, metavar="FILE", help=_("the lesson file"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.cli.app import check_terminal

    file: Path = options.file
    if not file.is_file():
        raise UsageError(
            _("There is no file {file!r}.").format(file=str(file)),
            "Create a lesson with `tutor new lesson ID`.",
        )
    check_terminal()
    from tutor.app import lifetime
    from tutor.authoring.preview import make_preview
    from tutor.learner.progress import Progress

    with tempfile.TemporaryDirectory(prefix="tutor-preview-") as folder:
        progress = Progress.open(Path(folder))
        return lifetime.run(make_preview(file, progress, options.model, ascii_only=options.ascii))
