"""`tutor train`: train one of the bundled models from scratch."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tutor.cli import output
from tutor.cli.interrupted import leaving_at_once, told_to_stop
from tutor.cli.status_line import StatusLine, bar
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.lm.training.run import StepReport
    from tutor.lm.training.train import Settings

SMALL_MODEL = "small-model"
MODELS = (SMALL_MODEL, "encoder", "decoder", "encoder-decoder")
_SETTINGS = ("steps", "batch", "seed", "threads")


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "train",
        help="train a bundled model from scratch",
        description="Train a bundled model from scratch and write it to a folder. If training is "
        "interrupted, run the same command again to continue.",
    )
    parser.add_argument(
        "name", metavar="NAME", choices=MODELS, help="the model to train: " + ", ".join(MODELS)
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="the folder to write (default: build/NAME)"
    )
    parser.add_argument(
        "--corpus",
        type=Path,
        metavar="FOLDER",
        help=f"training texts for the {SMALL_MODEL} (default: build/corpus); other models "
        "generate theirs",
    )
    parser.add_argument(
        "--from",
        dest="begin",
        type=Path,
        metavar="FOLDER",
        help=f"start from the weights of this {SMALL_MODEL}, not from scratch",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="a JSON file with settings")
    for name in _SETTINGS:
        parser.add_argument(
            f"--{name}",
            type=int,
            metavar="N",
            help=f"override the setting {name!r} (see --show-config)",
        )
    parser.add_argument(
        "--show-config", action="store_true", help="print the settings as JSON without training"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    name = options.name
    if name != SMALL_MODEL and not options.corpus is options.begin is None:
        raise UsageError(
            f"--corpus and --from only work with the {SMALL_MODEL}.",
            f"Remove them: the {name} generates its own examples and starts from scratch.",
        )
    with leaving_at_once():
        from tutor.lm.training.recipes import small_model
        from tutor.lm.training.recipes.families.model import SETTINGS, train_family

    usual = small_model.SETTINGS if name == SMALL_MODEL else SETTINGS[name]
    settings = _settings(usual, options)
    if options.show_config:
        output.write(msgspec.json.format(msgspec.json.encode(settings)).decode())
        return 0
    folder: Path = options.output or Path("build") / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _watching(name) as progress:
        if name == SMALL_MODEL:
            corpus = options.corpus or Path("build") / "corpus"
            small_model.train_small_model(corpus, folder, settings, progress, options.begin)
        else:
            train_family(name, folder, settings, progress)
    output.write(f"{folder}")
    return 0


def _settings(usual: Settings, options: argparse.Namespace) -> Settings:
    """Return the default settings, overridden by the file and then by the options.

    Raises `UsageError`.
    """
    given = {} if options.config is None else _read(options.config)
    given |= {name: value for name in _SETTINGS if (value := getattr(options, name)) is not None}
    unknown = [name for name in given if name not in usual.__struct_fields__]
    if unknown:
        raise UsageError(
            f"There is no setting {unknown[0]!r}.", "Use --show-config to see all settings."
        )
    try:
        whole = {**msgspec.structs.asdict(usual), **given}
        return msgspec.convert(whole, type(usual)).checked()
    except msgspec.ValidationError as error:
        raise UsageError(f"The settings are invalid: {error}.", "See --show-config.") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Check --config.") from error
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{file} does not contain valid settings: {error}.", "See --show-config."
        ) from error
    return found


class Progress:
    """The progress display of a training run: a status line and lines with measurements."""

    def __init__(self, name: str, line: StatusLine, stopped: Callable[[], bool]) -> None:
        self._name, self._line = name, line
        self.stopped = stopped

    def report(self, report: StepReport) -> None:
        self._line.show(f"Training {self._name}", figures=figures(report))

    def note(self, line: str) -> None:
        self._line.clear()
        output.note(line)


def figures(report: StepReport) -> str:
    done = bar(report.step, report.steps)
    return f"{done}  loss {report.loss:.3f}  {_duration(report.seconds_left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def _watching(name: str) -> Iterator[Progress]:
    """Yield the progress display of a training run.

    After Ctrl+C or SIGTERM, the current step finishes, so that the checkpoint can be saved.
    """
    line = StatusLine(sys.stderr, always=True)
    try:
        with told_to_stop() as stopped:
            yield Progress(name, line, stopped)
    finally:
        line.clear()
