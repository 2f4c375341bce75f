"""Implement `tutor doctor`, which describes an installation and its problems on one page.

Users paste the page into bug reports. It therefore contains no text, answer, key or name of the
learner, and replaces the path of the home folder with `~`.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tutor import __version__, paths
from tutor.cli import output
from tutor.errors import TutorError
from tutor.installation import DISTRIBUTION, install_command
from tutor.language import _
from tutor.models import find_model
from tutor.models.installed import DEFAULT, file_size, is_default
from tutor.text import writes_utf8

SMALL_DISK = 1_000_000_000
"""The number of free bytes below which downloading or packing a model may fail."""

_OTHER_PROGRAM = "tutor"
"""The Python package of another program whose command is also called `tutor`."""

_LIBRARIES = ("torch", "textual", "tokenizers", "safetensors", "gguf", "numpy")
_EXTRAS = {
    "remote": "openai",
    "gemini": "google-generativeai",
    "sentences": "sentence-transformers",
    "serve": "textual-serve",
    "fit": "pandas",
    "llamacpp": "llama-cpp-python",
}
"""The extras for users, each with a package that only this extra installs."""


class Line(NamedTuple):
    """One line of the page. If something is wrong, `advice` says what it is and what to do."""

    label: str
    value: str
    advice: str = ""


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "doctor",
        parents=[for_model],
        help=_("describe this installation, and say what is slow or wrong"),
        description=_(
            "Describe this installation on one page: versions, model, processor, terminal "
            "and folders. The page contains nothing personal, so that you can paste it into a bug "
            "report. The exit status is 1 if something needs your attention."
        ),
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    sections: dict[str, Callable[[], Iterator[Line]]] = {
        "program": _program,
        "model": lambda: _model(options.model),
        "processor": _processor,
        "terminal": _terminal,
        "folders": _folders,
    }
    found = {heading: list(lines()) for heading, lines in sections.items()}
    advice = [line.advice for lines in found.values() for line in lines if line.advice]
    if options.json:
        output.write_json(
            {heading: [line._asdict() for line in lines] for heading, lines in found.items()}
        )
    else:
        for heading, lines in found.items():
            output.write(heading)
            for line in lines:
                output.write(
                    f"  {'!' if line.advice else ' '} {line.label:<14} {_safe(line.value)}"
                )
        output.write("")
        output.write("\n".join(_safe(each) for each in advice) or _("Everything looks fine."))
    return 1 if advice else 0


def _safe(text: str) -> str:
    """Return `text` with `~` for the path of the home folder, which contains the user's name."""
    home = os.path.expanduser("~")  # noqa: PTH111 (does not fail without a home folder)
    return text.replace(home, "~") if len(home) > 1 and home != "~" else text


def _program() -> Iterator[Line]:
    yield Line(
        "tutor",
        _("{version}, in {parents}").format(version=__version__, parents=Path(__file__).parents[1]),
        _clash(),
    )
    yield Line("Python", f"{platform.python_version()}, {sys.executable}")
    yield Line("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Line("libraries", ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES))
    for extra, library in _EXTRAS.items():
        version = _version(library)
        missing = _("not installed; to install it: {install_command}").format(
            install_command=install_command(extra)
        )
        yield Line(f"[{extra}]", f"{library} {version}" if version else missing)
    own = {"TUTOR_LEARNER"}  # set by every command for its child processes
    variables = sorted({name for name in os.environ if name.startswith("TUTOR_")} - own)
    yield Line("variables", ", ".join(variables) or _("none that start with TUTOR_"))


def _clash() -> str:
    if not _version(_OTHER_PROGRAM) or not _version(DISTRIBUTION):
        return ""
    if _is_ours(_OTHER_PROGRAM):
        return ""
    return _(
        "Another program named tutor is installed in the same Python environment, and the two "
        "overwrite each other's files. Install {distribution} in an environment of its own."
    ).format(distribution=DISTRIBUTION)


def _is_ours(distribution: str) -> bool:
    """Return True if `distribution` is tutor itself, whose early versions were named `tutor`."""
    from importlib import metadata  # This module is slow to import, and no other command needs it.

    scripts = metadata.distribution(distribution).entry_points
    return any(script.value == "tutor.cli:main" for script in scripts)


def _version(distribution: str) -> str:
    from importlib import metadata  # This module is slow to import, and no other command needs it.

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _model(spec: str | None) -> Iterator[Line]:
    try:
        found = find_model(spec)
    except TutorError as error:
        yield Line("model", "none", f"{error.happened} {error.next_step}".strip())
        return
    small = (
        _("tutor uses its small bundled model. To install {name}, run `tutor model pull`.").format(
            name=DEFAULT.name
        )
        if found.bundled
        else ""
    )
    yield Line(
        "model",
        _("{name}, {file_size:.0f} MB, {path}").format(
            name=found.name, file_size=file_size(found) / 1e6, path=found.path
        ),
        small,
    )
    if found.kind == "gguf" and not is_default(found):
        yield Line("check", _("run `tutor model check` to test whether tutor can run this file"))
    yield from _shared_engine()


def _shared_engine() -> Iterator[Line]:
    if sys.platform == "win32":
        return
    from tutor.engine.shared import address

    socket = address.find()
    own = os.environ.get("TUTOR_ENGINE") == "own"
    found = _("none on this machine") if socket is None else str(socket)
    if own:
        found += _(" (not used, because TUTOR_ENGINE=own)")
    elif socket is not None and not address.listens(socket):
        found += _(" (not running)")
    yield Line(_("shared engine"), found)


def _processor() -> Iterator[Line]:
    import torch

    from tutor.lm.fast.device import choose_device
    from tutor.lm.fast.free_memory import available_memory
    from tutor.lm.fast.kernels import choose_kernels, instruction_set

    kernels = choose_kernels()
    low_bit = [name for name, fast in (("4-bit", kernels.int4), ("8-bit", kernels.int8)) if fast]
    slow = (
        ""
        if kernels.int4
        else _(
            "PyTorch has no fast 4-bit kernel for this processor, so the model needs about twice "
            "the memory."
        )
    )
    yield Line("device", choose_device())
    yield Line(
        "cores",
        _("{cpu_count}, of which PyTorch uses {get_num_threads}").format(
            cpu_count=os.cpu_count(), get_num_threads=torch.get_num_threads()
        ),
    )
    yield Line("instructions", instruction_set())
    yield Line(_("fast kernels"), ", ".join([*low_bit, "16-bit"]), slow)
    memory = available_memory()
    yield Line(
        _("free memory"),
        _("{memory:.1f} GB").format(memory=memory / 1e9) if memory is not None else _("unknown"),
    )
    for index in range(torch.cuda.device_count()):
        yield Line("GPU", torch.cuda.get_device_name(index))


def _terminal() -> Iterator[Line]:
    from rich.console import Console  # rich is slow to import, and no other command needs it.

    size = shutil.get_terminal_size()
    small = size.columns < 40 or size.lines < 12
    yield Line(
        "size",
        f"{size.columns}x{size.lines}",
        _("The terminal is smaller than 40x12, so some text is cut off. Make it larger.")
        if small
        else "",
    )
    term = os.environ.get("TERM", "not set")
    multiplexer = _(", in tmux") if os.environ.get("TMUX") else ""
    yield Line("TERM", f"{term}{multiplexer}{_(', over SSH') if os.environ.get('SSH_TTY') else ''}")
    colors = Console(force_terminal=True).color_system or "none"
    truecolor = {"truecolor": _("16 million"), "256": "256", "standard": "16"}
    yield Line("colors", truecolor.get(colors, colors))
    utf8 = writes_utf8()
    yield Line(
        "characters",
        _("UTF-8")
        if utf8
        else _("{encoding}, drawn in ASCII").format(encoding=sys.stdout.encoding),
        ""
        if utf8
        else _("The locale does not support UTF-8. Set LANG to C.UTF-8 for better drawings."),
    )


def _folders() -> Iterator[Line]:
    folders = {"data": paths.data_folder, "cache": paths.cache_folder}
    for label, find in folders.items():
        try:
            folder = find()
        except TutorError as error:
            yield Line(label, "none", f"{error.happened} {error.next_step}".strip())
            continue
        yield Line(label, *_condition(folder))
    yield Line("shared", str(paths.shared_folder()))


def _condition(folder: Path) -> tuple[str, str]:
    """Return a description of a folder to which tutor writes, and advice on any problem."""
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(nearest).free
    said = _("{folder}, {free:.1f} GB free").format(folder=folder, free=free / 1e9)
    if not os.access(nearest, os.W_OK):
        return said, _(
            "{folder} is not writable. Change its permissions so that tutor can save files there."
        ).format(folder=folder)
    if free < SMALL_DISK:
        return said, _(
            "Less than 1 GB is free in {folder}. To find models that you can remove, run "
            "`tutor model list`."
        ).format(folder=folder)
    return said, ""
