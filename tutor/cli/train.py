"""Implement `tutor train`, which trains one of the bundled models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tutor import paths
from tutor.cli import output
from tutor.cli.interrupted import leaving_at_once, told_to_stop
from tutor.cli.status_line import StatusLine, bar
from tutor.errors import UsageError
from tutor.language import _

if TYPE_CHECKING:
    from tutor.lm.training.run import StepReport
    from tutor.lm.training.train import Settings

SMALL_MODEL = "small-model"
SMALL_BASE = "small-base"
SMALL_INSTRUCT = "small-instruct"
_FROM_TEXTS = (SMALL_MODEL, SMALL_BASE, SMALL_INSTRUCT)
MODELS = (*_FROM_TEXTS, "encoder", "decoder", "encoder-decoder")
_SETTINGS = ("steps", "batch", "seed", "threads")


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "train",
        help=_("train a bundled model"),
        description=_(
            "Train a bundled model from scratch and write it to a folder. The model small-instruct "
            "is made from small-base instead. If training is interrupted, run the same command "
            "again to continue."
        ),
    )
    parser.add_argument(
        "name", metavar="NAME", choices=MODELS, help=_("the model to train: ") + ", ".join(MODELS)
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help=_("the folder to write to (default: build/NAME)"),
    )
    parser.add_argument(
        "--corpus",
        type=Path,
        metavar="FOLDER",
        help=_(
            "training texts for {names} (default: build/corpus); the data of other "
            "models is generated"
        ).format(names=", ".join(_FROM_TEXTS)),
    )
    parser.add_argument(
        "--from",
        dest="begin",
        type=Path,
        metavar="FOLDER",
        help=_(
            "start from the weights of the model in this folder (default for {instruct}: the "
            "bundled {base}; for {names}: from scratch)"
        ).format(instruct=SMALL_INSTRUCT, base=SMALL_BASE, names=f"{SMALL_MODEL}, {SMALL_BASE}"),
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=_("a JSON file with settings"))
    for name in _SETTINGS:
        parser.add_argument(
            f"--{name}",
            type=int,
            metavar="N",
            help=_("override the setting {name!r} (see --show-config)").format(name=name),
        )
    parser.add_argument(
        "--show-config", action="store_true", help=_("print the settings as JSON without training")
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    name = options.name
    if name not in _FROM_TEXTS and not options.corpus is options.begin is None:
        raise UsageError(
            _("--corpus and --from only work with {names}.").format(names=", ".join(_FROM_TEXTS)),
            _("Leave them out: {name} generates its own examples and starts from scratch.").format(
                name=name
            ),
        )
    with leaving_at_once():
        from tutor.lm.training.recipes import instruct, small_model
        from tutor.lm.training.recipes.families.model import SETTINGS, train_family

    usual = {
        SMALL_MODEL: small_model.SETTINGS,
        SMALL_BASE: instruct.BASE_SETTINGS,
        SMALL_INSTRUCT: instruct.SETTINGS,
    }
    settings = _settings(usual[name] if name in usual else SETTINGS[name], options)
    if options.show_config:
        output.write(msgspec.json.format(msgspec.json.encode(settings)).decode())
        return 0
    folder: Path = options.output or Path("build") / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    corpus = options.corpus or Path("build") / "corpus"
    with _watching(name) as progress:
        if name == SMALL_INSTRUCT:
            base = options.begin or paths.bundled_base_folder()
            instruct.tune(corpus, base, folder, settings, progress)
        elif name in _FROM_TEXTS:
            small_model.train_small_model(corpus, folder, settings, progress, options.begin)
        else:
            train_family(name, folder, settings, progress)
    output.write(f"{folder}")
    return 0


def _settings(usual: Settings, options: argparse.Namespace) -> Settings:
    """Return the default settings, overridden by the settings file and then by the options.

    Raises `UsageError`.
    """
    given = {} if options.config is None else _read(options.config)
    given |= {name: value for name in _SETTINGS if (value := getattr(options, name)) is not None}
    unknown = [name for name in given if name not in usual.__struct_fields__]
    if unknown:
        raise UsageError(
            _("There is no setting {unknown!r}.").format(unknown=unknown[0]),
            "Use --show-config to see all settings.",
        )
    try:
        whole = {**msgspec.structs.asdict(usual), **given}
        return msgspec.convert(whole, type(usual)).checked()
    except msgspec.ValidationError as error:
        raise UsageError(
            _("The settings are invalid: {error}.").format(error=error), "See --show-config."
        ) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise UsageError(
            _("{file} cannot be read: {strerror}.").format(file=file, strerror=error.strerror),
            "Check --config.",
        ) from error
    except msgspec.MsgspecError as error:
        raise UsageError(
            _("{file} does not contain valid settings: {error}.").format(file=file, error=error),
            "See --show-config.",
        ) from error
    return found


class Progress:
    """The progress display of a training run: a status line, and lines with measurements."""

    def __init__(self, name: str, line: StatusLine, stopped: Callable[[], bool]) -> None:
        self._name, self._line = name, line
        self.stopped = stopped

    def report(self, report: StepReport) -> None:
        self._line.show(_("Training {name}").format(name=self._name), figures=figures(report))

    def note(self, line: str) -> None:
        self._line.clear()
        output.note(line)


def figures(report: StepReport) -> str:
    done = bar(report.step, report.steps)
    return _("{done}  loss {loss:.3f}  {duration} left").format(
        done=done, loss=report.loss, duration=_duration(report.seconds_left)
    )


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
