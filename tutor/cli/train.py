"""`tutor train`: trains any of the models that come along, from scratch, without a screen."""

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
        help="train one of the models that come along, from scratch",
        description="Train one of the models that come along, from scratch, and write it to a "
        "folder. Stopped by Ctrl-C or anything else, it goes on when the same is said again.",
    )
    parser.add_argument("name", metavar="NAME", choices=MODELS, help=", ".join(MODELS))
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where it is written (default: build/NAME)"
    )
    parser.add_argument(
        "--corpus",
        type=Path,
        metavar="FOLDER",
        help=f"texts for the {SMALL_MODEL} (default: build/corpus); the others make their own",
    )
    parser.add_argument(
        "--from",
        dest="begin",
        type=Path,
        metavar="FOLDER",
        help=f"go on from the weights of a {SMALL_MODEL}, in place of beginning anew",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a JSON file with any of the settings"
    )
    for name in _SETTINGS:
        parser.add_argument(f"--{name}", type=int, metavar="N")
    parser.add_argument(
        "--show-config", action="store_true", help="print the settings as JSON, and train nothing"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    name = options.name
    if name != SMALL_MODEL and not options.corpus is options.begin is None:
        raise UsageError(
            f"--corpus and --from are for the {SMALL_MODEL}.",
            f"The {name} makes its own examples, and begins anew.",
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
    """The usual ones, changed by the file and then by the options. Raises `UsageError`."""
    given = {} if options.config is None else _read(options.config)
    given |= {name: value for name in _SETTINGS if (value := getattr(options, name)) is not None}
    unknown = [name for name in given if name not in usual.__struct_fields__]
    if unknown:
        raise UsageError(
            f"There is no setting {unknown[0]!r}.", "--show-config prints those that there are."
        )
    try:
        whole = {**msgspec.structs.asdict(usual), **given}
        return msgspec.convert(whole, type(usual)).checked()
    except msgspec.ValidationError as error:
        raise UsageError(f"The settings make no sense: {error}.", "See --show-config.") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Check --config.") from error
    except msgspec.MsgspecError as error:
        raise UsageError(f"{file} holds no settings: {error}.", "See --show-config.") from error
    return found


class Progress:
    """A bar with an estimate on a terminal, and lines for what was measured."""

    def __init__(self, name: str, line: StatusLine, stopped: Callable[[], bool]) -> None:
        self._name, self._line = name, line
        self.stopped = stopped

    def report(self, report: StepReport) -> None:
        self._line.show(f"training {self._name}", figures=figures(report))

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
    """For the time that a model is trained: Ctrl-C, and being told to end, wait for the end of a
    step, so that what was learned is kept."""
    line = StatusLine(sys.stderr, always=True)
    try:
        with told_to_stop() as stopped:
            yield Progress(name, line, stopped)
    finally:
        line.clear()
