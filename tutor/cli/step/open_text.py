"""Implement `tutor open`, which opens the stepper with a text that was saved as JSON."""

import argparse
from pathlib import Path
from typing import Any

from tutor.cli import app
from tutor.language import _


def add_to(commands: Any, *parents: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "open",
        parents=list(parents),
        help=_("open a text that the stepper has saved"),
        description=_(
            "Open the stepper with a text that it saved as JSON (ctrl+s), at the same position and "
            "with the same sampler settings and seed. With another model, the text is tokenized "
            "again."
        ),
    )
    parser.add_argument("file", metavar="FILE", help=_("the JSON file"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.app.explorer.share.opening import restored
    from tutor.sharing.reading import read_file

    text = read_file(Path(options.file))  # Report a damaged file before the app opens.
    return app.run(options, start=restored(text))
