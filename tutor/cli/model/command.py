"""Implement `tutor model`, which downloads, lists, removes and checks models."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec

from tutor.cli import output
from tutor.cli.interrupted import leaving_at_once, on_signals
from tutor.cli.model import check as remote_check
from tutor.cli.status_line import loading, pulling
from tutor.errors import ModelError, TutorError, UsageError
from tutor.language import _
from tutor.models.installed import is_default
from tutor.text import counted
from tutor.vendors.catalogue import RemoteModel, catalogue, is_remote, remote_model

if TYPE_CHECKING:
    from tutor.lm.fast.kernels import KernelReport
    from tutor.models import FoundModel
    from tutor.models.report import PullEvent


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("model", help=_("download, list, remove and check models"))
    what = parser.add_subparsers(title=_("commands"), metavar="COMMAND", required=True)
    pull = what.add_parser("pull", help=_("download the default model"))
    pull.add_argument(
        "--json", action="store_true", help=_("print progress as JSON, one object per line")
    )
    pull.add_argument(
        "--shared", action="store_true", help=_("download into the machine-wide folder")
    )
    pull.set_defaults(run=run_pull)
    listing = what.add_parser("list", parents=[for_model], help=_("list the installed models"))
    listing.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    listing.set_defaults(run=run_list)
    remove = what.add_parser("remove", help=_("remove a model or a packed copy of one"))
    remove.add_argument("name", metavar="NAME", help=_("a name from `tutor model list`"))
    remove.set_defaults(run=run_remove)
    prune = what.add_parser("prune", help=_("remove packed copies of models"))
    prune.add_argument(
        "--keep",
        type=float,
        metavar="GB",
        help=_(
            "keep the most recently used copies, up to this many gigabytes (default: remove "
            "copies of files that no longer exist, and all copies above the limit)"
        ),
    )
    prune.set_defaults(run=run_prune)
    check = what.add_parser(
        "check",
        parents=[for_model],
        help=_("measure a model's speed on this machine, or test a remote model"),
    )
    check.add_argument("name", nargs="?", metavar="MODEL", help=_("the same as --model MODEL"))
    check.set_defaults(run=run_check)


ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""The signals that ask a process to exit cleanly."""


# --- pull ---------------------------------------------------------------------------------------


def run_pull(options: argparse.Namespace) -> int:
    """Download the default model, and pack its weights for this machine.

    With --json, the last line of output describes the error, if there was one. A signal in `ENDING`
    cancels the download and removes its temporary files.
    """
    from tutor.models.pull import pull
    from tutor.models.report import Pulled, PullFailed

    cancelled = Event()
    with nullcontext(_json_line) if options.json else pulling() as show:
        try:
            with on_signals(cancelled.set, *ENDING):
                model, fetched = pull(show, cancelled=cancelled, shared=options.shared)
            _convert(model, show)
        except TutorError as error:
            show(PullFailed(type(error).__name__, error.happened, error.next_step))
            raise
        show(Pulled(str(model.path), fetched))
    if not options.json:
        output.write(
            _("The model is {value}: {path}").format(
                value=_("installed") if fetched else _("already installed"), path=model.path
            )
        )
    return 0


def _convert(model: FoundModel, show: Callable[[PullEvent], None]) -> None:
    """Load the model once, which packs its weights for this machine and stores them."""
    from tutor.models.report import PullProgress

    show(PullProgress("converting"))
    with leaving_at_once():  # Importing torch takes seconds.
        from tutor.lm.load import load_model

    def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
        show(PullProgress("converting", done, total, detail=stage))

    load_model(model, on_stage=on_stage)


def _json_line(event: PullEvent) -> None:
    output.write_json(event)
    output.flush()


# --- list ---------------------------------------------------------------------------------------


class ListedModel(msgspec.Struct, frozen=True):
    """One entry in the output of `tutor model list --json`.

    `kind` is "gguf" or "folder" for a model, "packed" for a copy of a model that is packed for this
    machine, and "remote" for a remote model for which a key was found. The `path` of a remote model
    is its address. `size` is in bytes. `default` is True for the model that tutor uses if no model
    is named. `llamacpp` is True for a file that only llama.cpp can run.
    """

    name: str
    kind: str
    path: str
    size: int
    bundled: bool = False
    default: bool = False
    llamacpp: bool = False


def run_list(options: argparse.Namespace) -> int:
    from tutor.models.packed import in_bytes, is_orphan, limit, move_old_copies, packed_copies

    move_old_copies()

    models, remark = _listed(options.model)
    copies = packed_copies()
    remote = _remote_models()
    if options.json:
        used = remote_model(options.model) if is_remote(options.model) else None
        listed = [ListedModel(each.name, "packed", str(each.path), each.size) for each in copies]
        listed += [
            ListedModel(each.spec, "remote", each.service.base_url, 0, default=each == used)
            for each in remote
        ]
        output.write_json([*models, *listed])
        return 0
    if not models:
        output.write(_("No model is installed. Download one with `tutor model pull`."))
    for model in models:
        output.write(
            _("{value} {name}  {size:.1f} MB  {path}{value2}").format(
                value="*" if model.default else " ",
                name=model.name,
                size=model.size / 1e6,
                path=model.path,
                value2=_remark(model),
            )
        )
    for copy in copies:
        gone = _(", which no longer exists") if is_orphan(copy) else ""
        output.write(
            _("  {name}  {size:.1f} MB  {path}  (packed from {value}{gone})").format(
                name=copy.name,
                size=copy.size / 1e6,
                path=copy.path,
                value=copy.source or _("another file"),
                gone=gone,
            )
        )
    for each in remote:
        output.write(
            _("  {spec}  {product} at {host}  (key found)").format(
                spec=each.spec, product=each.service.product, host=each.host
            )
        )
    if any(model.default for model in models):
        output.write(_("* marks the model that is used by default."))
    if copies:
        output.write(
            _(
                "Packed copies take up {taken} (limit: {limit}) and are recreated when needed. To "
                "remove some, run `tutor model prune`."
            ).format(taken=in_bytes(sum(copy.size for copy in copies)), limit=in_bytes(limit()))
        )
    if remark:
        output.note(remark)
    return 0


def _remark(model: ListedModel) -> str:
    if model.bundled:
        return _("  (bundled)")
    return _("  (needs llama.cpp)") if model.llamacpp else ""


def _needs_llama(model: FoundModel) -> bool:
    """Return True for a GGUF file with an architecture that our own code doesn't support."""
    if model.kind != "gguf" or is_default(model):
        return False
    from tutor.lm.formats.gguf_settings import FAMILIES  # slow to import
    from tutor.models.architecture import architecture

    name = architecture(model.path)
    return name is not None and name not in FAMILIES


def _listed(spec: str | None) -> tuple[list[ListedModel], str]:
    from tutor.models.find import HUB_PREFIX, find_model
    from tutor.models.installed import file_size, installed_models

    default: FoundModel | None = None
    remark = ""
    spec = spec or os.environ.get("TUTOR_MODEL")
    if is_remote(spec):
        used = remote_model(spec)
        remark = _("{spec} at {host} is in use.").format(spec=used.spec, host=used.host)
    elif spec and spec.startswith(HUB_PREFIX):
        remark = _("{spec} is in use; it is stored in the Hugging Face cache.").format(spec=spec)
    else:
        try:
            default = find_model(spec)
        except ModelError as error:
            remark = str(error)
    found = list(installed_models())
    if default and default.path not in [model.path for model in found]:
        found.append(default)
    listed = [
        ListedModel(
            name=model.name,
            kind=model.kind,
            path=str(model.path),
            size=file_size(model),
            bundled=model.bundled,
            default=default is not None and model.path == default.path,
            llamacpp=_needs_llama(model),
        )
        for model in found
    ]
    return listed, remark


def _remote_models() -> list[RemoteModel]:
    """Return the default model of each service for which an API key was found."""
    from tutor.vendors.keys import has_key

    return [RemoteModel(card, card.model) for card in catalogue() if card.model and has_key(card)]


# --- remove -------------------------------------------------------------------------------------


def run_remove(options: argparse.Namespace) -> int:
    from tutor.models.packed import remove

    for path, size in remove(options.name):
        output.write(_("Removed {path} ({size:.1f} MB).").format(path=path, size=size / 1e6))
    return 0


def run_prune(options: argparse.Namespace) -> int:
    """Remove packed copies, which tutor creates again when it needs them."""
    from tutor.models import packed

    if options.keep is None:
        removed = (*packed.remove_orphans(), *packed.prune())
    elif options.keep >= 0:
        removed = packed.prune(int(options.keep * 1e9))
    else:
        raise UsageError(_("--keep needs a number of gigabytes, such as 2."))
    for path, size in removed:
        output.write(_("Removed {path} ({size}).").format(path=path, size=packed.in_bytes(size)))
    if not removed:
        output.write(_("There is nothing to remove."))
    return 0


# --- check --------------------------------------------------------------------------------------


def run_check(options: argparse.Namespace) -> int:
    """Load the model, run a step, and time each kind of matrix multiplication on this machine.

    For a remote model, send a short question instead.
    """
    options.model = options.name or options.model
    if is_remote(options.model):
        return remote_check.run(options.model)
    with leaving_at_once():
        from tutor.lm.fast.kernels import check_kernels
        from tutor.lm.llamacpp.load import open_model
        from tutor.lm.llamacpp.session import LlamaModel, LlamaSession
        from tutor.lm.self_test import run_self_test, time_steps
        from tutor.models import find_model

    report: KernelReport | None = None
    with loading() as on_stage:
        model = open_model(find_model(options.model, on_stage=on_stage), on_stage=on_stage)
        on_stage("measuring")
        if isinstance(model, LlamaModel):
            seconds = time_steps(LlamaSession(model, [0]))
        else:
            seconds = run_self_test(model)
            report = check_kernels(model.network.config)
    card = model.card
    output.write(
        _("{name}: {parameters:.1f} million weights from {format}").format(
            name=card.name, parameters=card.parameters / 1e6, format=card.format
        )
    )
    if report is None:
        output.write(
            _(
                "Runs with llama.cpp, because tutor's own code does not support it. You can "
                "step and chat, but not look inside."
            )
        )
    else:
        output.write(
            _("Runs on {device}, stored as {kernel}; PyTorch {torch_version}").format(
                device=card.device, kernel=card.kernel, torch_version=report.torch_version
            )
        )
    output.write(
        _(
            "A test text was processed without errors; one token takes {milliseconds:.1f} ms."
        ).format(milliseconds=1000 * seconds)
    )
    if report is not None:
        _write_kernels(report)
    return 0


def _write_kernels(report: KernelReport) -> None:
    output.write(
        _(
            "Time for one token's matrix multiplications on this CPU "
            "({threads}, {instruction_set}):"
        ).format(threads=counted(report.threads, "thread"), instruction_set=report.instruction_set)
    )
    output.write(_("  format bytes per weight      ms"))
    for timing in report.timings:
        taken = f"{timing.milliseconds:8.2f}" if timing.milliseconds is not None else "     n/a"
        used = _("  used if the file's format allows it") if timing.chosen else ""
        output.write(f"  {timing.form:6} {timing.bytes_per_weight:15.2f} {taken}{used}")
