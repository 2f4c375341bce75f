"""Models named `hf:OWNER/REPO` or `hf:OWNER/REPO/FILE.gguf`.

They are fetched with the Hugging Face client into the cache that it shares with every other
program of the user, so that a model which is there already is not fetched twice. HF_ENDPOINT,
HF_HOME, HF_TOKEN and HF_HUB_OFFLINE mean what they always mean.
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

# Read when the client is imported. What it would print, `on_stage` and the errors say.
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

# The client's library for HTTP was another one in each of its main versions.
_NO_CONNECTION = ("ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror")
_NETWORK = "Check the network and try again."

_TICK = 0.5
"""Seconds between two looks at how far a download is."""

_FOLDER_FILES = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "*.safetensors",
    "*.safetensors.index.json",
]


def fetch(name: str, on_stage: OnStage) -> Path:
    """The file or folder in the Hugging Face cache that `name` (`OWNER/REPO[/FILE]`) stands for.

    Without FILE: the folder of a repository with `config.json`, or else its only GGUF file. What
    is in the cache is used as it is, without asking the network; the rest is fetched. Raises
    `ModelNotFound`, `DownloadFailed`, `NoSpace`, or `ModelError` where one of several files has
    to be named.
    """
    repository, file = _split(name)
    try:
        if cached := _cached(repository, file):
            return cached
        on_stage(f"asking Hugging Face for {name}")
        sizes = _sizes(repository)
        files = [file] if file else _files_of_model(repository, sizes)
        total = sum(sizes.get(each, 0) for each in files)
        with _watched(repository, f"fetching {name} from Hugging Face", total, on_stage):
            if len(files) == 1:
                return Path(hf_hub_download(repository, files[0]))
            return Path(snapshot_download(repository, allow_patterns=_FOLDER_FILES))
    except GatedRepoError as error:
        raise ModelNotFound(
            f"{repository} asks you to accept its terms first.",
            "Accept them on its page and set HF_TOKEN.",
        ) from error
    except RepositoryNotFoundError as error:
        raise _not_found(name) from error
    except RemoteEntryNotFoundError as error:
        raise ModelNotFound(
            f"The repository {repository} has no file {file!r}.", "Check the name on its page."
        ) from error
    except ValueError as error:  # the client's word for a name that cannot exist
        raise UsageError(f"{name!r} cannot be the name of a model.", _FORM) from error
    except (HTTPError, OSError) as error:
        raise _failure(name, error) from error


_FORM = "Write hf:OWNER/REPO or hf:OWNER/REPO/FILE.gguf."


def _split(name: str) -> tuple[str, str]:
    owner, _, rest = name.strip("/").partition("/")
    repository, _, file = rest.partition("/")
    if not owner or not repository:
        raise UsageError(f"{name!r} does not name a repository.", _FORM)
    if file and not file.endswith(".gguf"):
        raise UsageError(f"{file!r} is not a GGUF file.", _FORM)
    return f"{owner}/{repository}", file


def _cached(repository: str, file: str) -> Path | None:
    """What was fetched before, if it is whole."""
    try:
        if file:
            return Path(hf_hub_download(repository, file, local_files_only=True))
        folder = Path(
            snapshot_download(repository, allow_patterns=_FOLDER_FILES, local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    return folder if _whole(folder) else None


class _Index(msgspec.Struct, frozen=True):
    """What matters of an index: which file each tensor is in."""

    weight_map: dict[str, str]


def _whole(folder: Path) -> bool:
    """An index, where there is one, lists the files that the weights are spread over."""
    names = {"config.json", "tokenizer.json"}
    for index in folder.glob("*.safetensors.index.json"):
        try:
            listed = msgspec.json.decode(index.read_bytes(), type=_Index).weight_map.values()
        except (OSError, ValueError):
            return False
        names.update(Path(name).name for name in listed if name.isprintable())
    return all((folder / name).exists() for name in names) and any(folder.glob("*.safetensors"))


def _sizes(repository: str) -> dict[str, int]:
    """Bytes of each file of the repository, 0 where its size is not told."""
    listed = HfApi().model_info(repository, files_metadata=True).siblings or ()
    return {file.rfilename: file.size or 0 for file in listed}


def _files_of_model(repository: str, files: Iterable[str]) -> list[str]:
    """The files that make up the only model in a repository."""
    if "config.json" in files:
        return list(filter_repo_objects(files, allow_patterns=_FOLDER_FILES))
    weights = [file for file in files if file.endswith(".gguf")]
    if len(weights) == 1:
        return weights
    if weights:
        raise ModelError(
            f"{repository} has several models: {', '.join(weights)}.",
            f"Name one of them: hf:{repository}/{weights[0]}",
        )
    raise ModelNotFound(
        f"{repository} has neither config.json nor a GGUF file.", "Choose another repository."
    )


@contextmanager
def _watched(repository: str, stage: str, total: int, on_stage: OnStage) -> Iterator[None]:
    """Tells how far a download is for as long as it lasts, from what arrives in the cache: the
    client's own ways of telling have changed from version to version."""
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
            return NoSpace(f"There is no room for {name}.", "Make room and try again.")
        if isinstance(cause, OfflineModeIsEnabled):
            return DownloadFailed(
                f"{name} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it.",
                "Unset HF_HUB_OFFLINE and try again.",
            )
        if type(cause).__name__ in _NO_CONNECTION:
            return DownloadFailed(f"Hugging Face, where {name} is, cannot be reached.", _NETWORK)
        last, cause = cause, cause.__cause__
    reason = str(last).strip().partition("\n")[0].rstrip(".") or type(last).__name__
    return DownloadFailed(f"{name} did not come through ({reason}).", _NETWORK)


def _not_found(name: str) -> ModelNotFound:
    return ModelNotFound(
        f"Hugging Face has no {name} that is open to you.",
        "Check the name; a private repository needs HF_TOKEN.",
    )
