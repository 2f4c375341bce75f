"""Find or download models named `hf:OWNER/REPO` or `hf:OWNER/REPO/FILE.gguf`.

The Hugging Face client downloads models to its standard cache, which other programs use too, so a
cached model is not downloaded again. The environment variables HF_ENDPOINT, HF_HOME, HF_TOKEN and
HF_HUB_OFFLINE work as usual.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tutor.errors import DownloadFailed, ModelError, ModelNotFound, NoSpace, UsageError
from tutor.models.package_client import bytes_below
from tutor.models.report import OnStage
from tutor.models.unusable import TOKENIZER_FILES
from tutor.regular_file import read_regular

# The Hugging Face client reads these variables when it is imported. They switch off its output,
# because tutor reports progress and errors itself.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("HF_HUB_VERBOSITY", "critical")

from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import filter_repo_objects

# The exceptions depend on the client's version, because each major version uses a different HTTP
# library.
_NO_CONNECTION = ("ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror")
_NETWORK = "Check the network and try again."

_TICK = 0.5
"""The number of seconds between progress reports."""

_LARGEST_INDEX = 100_000_000
"""The number of bytes of an index to read. The index of DeepSeek V3 has 9 MB."""

_FOLDER_FILES = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "added_tokens.json",
    "chat_template.jinja",
    "*.safetensors",
    "*.safetensors.index.json",
]


def fetch(name: str, on_stage: OnStage) -> Path:
    """Return the path in the Hugging Face cache for `name` (`OWNER/REPO[/FILE]`).

    Without FILE, this is the repository's folder if it contains `config.json`, or else its only
    GGUF file. Cached files are used without a network request, and other files are downloaded.
    Raises `ModelNotFound`, `DownloadFailed`, `NoSpace`, or `ModelError` if the user must choose one
    of several files.
    """
    repository, file = _split(name)
    try:
        if cached := _cached(repository, file):
            return cached
        on_stage(f"looking up {name} on Hugging Face")
        sizes = _sizes(repository)
        files = [file] if file else _files_of_model(repository, sizes)
        total = sum(sizes.get(each, 0) for each in files)
        with _watched(repository, f"downloading {name} from Hugging Face", total, on_stage):
            if len(files) == 1:
                return Path(hf_hub_download(repository, files[0]))
            return Path(snapshot_download(repository, allow_patterns=_FOLDER_FILES))
    except GatedRepoError as error:
        raise ModelNotFound(
            f"{repository} requires you to accept its terms first.",
            "Accept them on its Hugging Face page and set HF_TOKEN.",
        ) from error
    except RepositoryNotFoundError as error:
        raise _not_found(name) from error
    except RemoteEntryNotFoundError as error:
        raise ModelNotFound(
            f"The repository {repository} has no file {file!r}.", "Check the file name on its page."
        ) from error
    except ValueError as error:  # the client raises this for an invalid name
        raise UsageError(f"{name!r} is not a valid model name.", _FORM) from error
    except (HTTPError, OSError) as error:
        raise _failure(name, error) from error


_FORM = "Write hf:OWNER/REPO or hf:OWNER/REPO/FILE.gguf."


def _split(name: str) -> tuple[str, str]:
    owner, _, rest = name.strip("/").partition("/")
    repository, _, file = rest.partition("/")
    if not owner or not repository:
        raise UsageError(f"{name!r} is not a valid repository name.", _FORM)
    if file and not file.endswith(".gguf"):
        raise UsageError(f"{file!r} is not a GGUF file.", _FORM)
    return f"{owner}/{repository}", file


def _cached(repository: str, file: str) -> Path | None:
    """Return the cached file or folder, or None if it is missing or incomplete."""
    try:
        if file:
            return Path(hf_hub_download(repository, file, local_files_only=True))
        folder = Path(
            snapshot_download(repository, allow_patterns=_FOLDER_FILES, local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    return folder if _complete(folder) else None


class _Index(msgspec.Struct, frozen=True):
    """The part of a safetensors index that we need. `weight_map` maps tensors to files."""

    weight_map: dict[str, str]


def _complete(folder: Path) -> bool:
    """Return True if the folder has all files of a model.

    If the folder has a safetensors index, all files in the index must exist too.
    """
    names = {"config.json"}
    for index in folder.glob("*.safetensors.index.json"):
        try:
            data = read_regular(index, _LARGEST_INDEX)
            listed = msgspec.json.decode(data, type=_Index).weight_map.values()
        except (OSError, ValueError, RecursionError):
            return False
        names.update(Path(name).name for name in listed if name.isprintable())
    tokenizer = any((folder / name).exists() for name in TOKENIZER_FILES)
    weights = any(folder.glob("*.safetensors"))
    return tokenizer and weights and all((folder / name).exists() for name in names)


def _sizes(repository: str) -> dict[str, int]:
    """Return the size of each file in the repository in bytes. An unknown size is 0."""
    listed = HfApi().model_info(repository, files_metadata=True).siblings or ()
    return {file.rfilename: file.size or 0 for file in listed}


def _files_of_model(repository: str, files: Iterable[str]) -> list[str]:
    """Return the files to download from a repository.

    Raises `ModelError` if the repository contains several models or none.
    """
    if "config.json" in files:
        return list(filter_repo_objects(files, allow_patterns=_FOLDER_FILES))
    weights = [file for file in files if file.endswith(".gguf")]
    if len(weights) == 1:
        return weights
    if weights:
        raise ModelError(
            f"{repository} contains several models: {', '.join(weights)}.",
            f"Specify one of them, such as hf:{repository}/{weights[0]}",
        )
    raise ModelNotFound(
        f"{repository} contains neither config.json nor a GGUF file.", "Choose another repository."
    )


@contextmanager
def _watched(repository: str, stage: str, total: int, on_stage: OnStage) -> Iterator[None]:
    """Report the progress of the download that runs in the `with` block.

    The progress is measured by the size of the cache, because the client's own progress reports
    differ between versions.
    """
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "blobs"
    before = bytes_below(folder)
    over = threading.Event()

    def look() -> None:
        while not over.wait(_TICK):
            arrived = max(0, bytes_below(folder) - before)
            on_stage(stage, min(arrived, total) if total else arrived, total)

    on_stage(stage, 0, total)
    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _failure(name: str, error: Exception) -> ModelError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HfHubHTTPError) and cause.response.status_code == 404:
            return _not_found(name)
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            return NoSpace(
                f"There is not enough disk space for {name}.", "Free some space and try again."
            )
        if isinstance(cause, OfflineModeIsEnabled):
            return DownloadFailed(
                f"{name} is not on this machine, and HF_HUB_OFFLINE prevents the download.",
                "Unset HF_HUB_OFFLINE and try again.",
            )
        if type(cause).__name__ in _NO_CONNECTION:
            return DownloadFailed(
                f"{name} cannot be downloaded: there is no connection to Hugging Face.", _NETWORK
            )
        last, cause = cause, cause.__cause__
    reason = str(last).strip().partition("\n")[0].rstrip(".") or type(last).__name__
    return DownloadFailed(f"{name} could not be downloaded ({reason}).", _NETWORK)


def _not_found(name: str) -> ModelNotFound:
    return ModelNotFound(
        f"Hugging Face has no model {name}, or you cannot access it.",
        "Check the name. For a private repository, set HF_TOKEN.",
    )
