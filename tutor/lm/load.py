"""Load a model from disk: network, tokenizer and chat template.

When a GGUF file or a large Hugging Face folder is first loaded, its weights are packed for this
machine and saved in the cache folder; later loads memory-map the packed copy. A small folder is
converted in memory each time. If a model cannot be used, a `ModelError` explains why and what to
do.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from tutor import paths
from tutor.errors import ModelDamaged, NoHome, NotEnoughMemory
from tutor.lm.distribution import ModelCard
from tutor.lm.fast.device import DEVICE_ERRORS, ON_GPU, choose_device
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.fast.kernels import EXACT, Kernels, choose_kernels, use_threads
from tutor.lm.fast.network import build, forms
from tutor.lm.fast.shortage import shortage_in_words
from tutor.lm.formats.convert import converted, matrices, parameters
from tutor.lm.formats.packed_file import (
    Description,
    FileStamp,
    PackedModel,
    find_packed,
    read_packed,
    save_packed,
)
from tutor.lm.formats.soundness import require_sound
from tutor.lm.formats.source import Source, about
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import Config
from tutor.lm.self_test import run_self_test
from tutor.lm.tokenizer import Tokenizer
from tutor.models import FoundModel
from tutor.models.packed import in_bytes, move_old_copies, prune, require_space, short_path
from tutor.models.report import OnStage, measured, quiet

log = logging.getLogger(__name__)

# The number of 32-bit copies of the largest matrix that must fit in memory during conversion, in
# addition to all weights.
_WORKING_COPIES = 1

# The size of weights, in bytes, below which a folder is converted in memory each time it is loaded.
_SMALL_FOLDER = 200_000_000


def load_model(
    found: FoundModel, *, on_stage: OnStage = quiet, exact: bool = False
) -> LanguageModel:
    """Load the model that `tutor.models.find_model` found.

    `on_stage` is called with the current stage and its progress. With `exact`, every weight is
    converted to a 32-bit float. Such a model is slow and large, but it is useful as a reference.
    Raises `ModelDamaged`, `ModelUnsupported`, `NotEnoughMemory`, and `UsageError` for an unknown
    device.
    """
    use_threads()
    device = choose_device()
    with about(found.path), shortage_in_words("this model"):
        if exact:
            return _in_memory(found, EXACT, on_stage)
        if device != "cpu":
            try:
                return _on_gpu(found, device, on_stage)
            except (*DEVICE_ERRORS, ModelDamaged, NotEnoughMemory) as error:
                log.warning("%s cannot be used; using the CPU instead: %s", device, error)
                on_stage(f"{device} cannot be used; using the CPU instead")
        if not _worth_packing(found):
            return _in_memory(found, choose_kernels(), on_stage)
        packed = _packed(found, on_stage)
        on_stage("starting the model")
        return _model(found, packed)


def read_tokenizer(found: FoundModel) -> Tokenizer:
    """Read only a model's tokenizer. Raises `ModelDamaged` and `ModelUnsupported`."""
    with about(found.path):
        return _open(found).tokenizer()


def checksum(files: Iterable[Path], on_bytes: Callable[[int], None] = lambda done: None) -> str:
    """Return the SHA-256 checksum of the concatenated files.

    `on_bytes` is called with the number of bytes read so far. Raises `ModelDamaged` if a file
    cannot be read.
    """
    digest = hashlib.sha256()
    done = 0
    for path in files:
        try:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
                    done += len(chunk)
                    on_bytes(done)
        except OSError as error:
            raise ModelDamaged(f"{path.name} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def _packed(found: FoundModel, on_stage: OnStage) -> PackedModel:
    """Return the packed copy of a model. If there is no copy, create one."""
    move_old_copies()
    stamp, folders = _stamp(found), _pack_folders(found)
    packed = find_packed(folders, stamp, found.sha256)
    if packed is not None and packed.description.stamp == stamp:
        return packed
    source = _open(found) if found.kind == "folder" else None
    files = [found.path] if source is None else source.files
    sha256 = checksum(files, measured(on_stage, "checking the model file", stamp.size))
    if found.sha256 is not None and sha256 != found.sha256:
        raise ModelDamaged(
            f"the checksum is {sha256[:12]}... instead of {found.sha256[:12]}...: the file was "
            "altered, or the download is incomplete.",
            "Download the model again with `tutor model pull`.",
        )
    # Search again by checksum: a copy may exist from before the file's modification time or name
    # changed. This doesn't work for a folder, because its checksum doesn't cover the tokenizer.
    if packed is None and source is None and found.sha256 is None:
        packed = find_packed(folders, stamp, sha256)
    if packed is not None:
        return packed
    on_stage("reading the model file")
    conversion = _Conversion(found, source or _open(found), choose_kernels(), sha256, stamp)
    for folder in folders:
        # If saving fails, try the next folder. The next load packs the model again.
        with suppress(OSError):
            if saved := read_packed(conversion.save(folder, on_stage)):
                return saved
    return conversion.in_memory(on_stage, "packing the weights for this machine")


def _on_gpu(found: FoundModel, device: str, on_stage: OnStage) -> LanguageModel:
    """Load the model on a GPU, and test it with a short text.

    Raises PyTorch's own errors if the model cannot run on the GPU, and `ModelDamaged` if its
    output contains NaN.
    """
    torch.zeros(1, device=device)  # raises an error if the device doesn't exist
    model = _in_memory(found, ON_GPU, on_stage, device)
    run_self_test(model)
    return model


def _in_memory(
    found: FoundModel, kernels: Kernels, on_stage: OnStage, device: str = "cpu"
) -> LanguageModel:
    on_stage("reading the model")
    source = _open(found)
    files = source.files
    # `checksum` below reports missing files
    size = sum(file.stat().st_size for file in files if file.exists())
    sha256 = checksum(files, measured(on_stage, "reading the model", size))
    conversion = _Conversion(found, source, kernels, sha256, FileStamp.of(files[0]))
    return _model(found, conversion.in_memory(on_stage, "preparing the weights"), device)


def _open(found: FoundModel) -> Source:
    if found.kind == "gguf":
        # importing the module is slow and rarely needed
        from tutor.lm.formats.gguf_file import GgufFile

        return GgufFile(found.path)
    from tutor.lm.formats.hugging_face import HuggingFaceFolder

    return HuggingFaceFolder(found.path)


class _Conversion:
    """The conversion of a model file, which is already open as `source`, to packed weights.

    Raises `ModelDamaged`, `ModelUnsupported` and `NotEnoughMemory`.
    """

    def __init__(
        self, found: FoundModel, source: Source, kernels: Kernels, sha256: str, stamp: FileStamp
    ) -> None:
        self._source = source
        self._kernels = kernels
        tokenizer = source.tokenizer()
        require_sound(source.config, tokenizer)
        _require_memory(source.config, source.format, kernels)
        self._tokenizer = tokenizer.to_json()
        self._identity = sha256 if found.kind == "gguf" else stamp.sample
        self._description = Description(
            sha256, stamp, source.format, source.config, source.chat_template, str(found.path)
        )

    def in_memory(self, on_stage: OnStage, stage: str) -> PackedModel:
        """Return the packed model without saving it."""
        return PackedModel(self._description, dict(self._tensors(on_stage, stage)), self._tokenizer)

    def save(self, folder: Path, on_stage: OnStage) -> Path:
        """Save the packed model in `folder`, and return its path. Raises `OSError`."""
        size = _packed_size(self._source.config, self._source.format, self._kernels)
        require_space(folder, size)
        stage = f"packing {in_bytes(size)} to {short_path(folder)} (first run only)"
        tensors = self._tensors(on_stage, stage)
        path = save_packed(folder, self._identity, self._description, self._tokenizer, tensors)
        prune(keep=path)
        return path

    def _tensors(self, on_stage: OnStage, stage: str) -> Iterator[tuple[str, Tensor]]:
        on_matrix = measured(on_stage, stage, matrices(self._source.config))
        return converted(self._source, self._kernels, on_matrix)


def _model(found: FoundModel, packed: PackedModel, device: str = "cpu") -> LanguageModel:
    description = packed.description
    config = description.config
    network = build(config, {name: t.to(device) for name, t in packed.tensors.items()})
    tokenizer = Tokenizer.from_json(packed.tokenizer)
    card = ModelCard(
        name=found.name,
        path=str(found.path),
        sha256=description.sha256,
        format=description.format,
        kernel=forms(network),
        parameters=parameters(config),
        layers=config.layers,
        heads=config.heads,
        width=config.width,
        context=config.context,
        vocabulary_size=config.vocabulary_size,
        chat=description.chat_template is not None,
        end_ids=tokenizer.end_ids,
        device=device,
    )
    return LanguageModel(card, network, tokenizer, description.chat_template)


def _worth_packing(found: FoundModel) -> bool:
    if found.kind == "gguf":
        return True
    weights = found.path.glob("*.safetensors")
    return sum(file.stat().st_size for file in weights if file.is_file()) >= _SMALL_FOLDER


def _stamp(found: FoundModel) -> FileStamp:
    """Compute the fingerprint of the model file, or of all files in a folder that tutor reads.

    Raises `ModelDamaged` if a file cannot be read.
    """
    files = [found.path]
    if found.kind == "folder":
        patterns = ("*.safetensors", "*.json", "*.jinja", "tokenizer.model")
        every = (file for form in patterns for file in sorted(found.path.glob(form)))
        files = [file for file in every if file.is_file()]
    try:
        return FileStamp.of(files[0]) if found.kind == "gguf" else FileStamp.of_all(files)
    except OSError as error:
        name = Path(error.filename or found.path).name
        raise ModelDamaged(f"{name} cannot be read: {error.strerror}.") from error


def _pack_folders(found: FoundModel) -> list[Path]:
    """Return the folders for packed copies, in the order in which to try them.

    The packed copy of a model in the machine-wide models folder can be in the same folder, where
    only an administrator can save it and all users share it. All other copies are in the learner's
    cache folder.
    """
    shared = paths.shared_models_folder()
    folders = [shared] if found.path.parent == shared else []
    with suppress(NoHome):
        folders.append(paths.packed_folder())
    return folders


def _packed_size(config: Config, number_format: str, kernels: Kernels) -> int:
    """Estimate the size of the packed weights in bytes."""
    if kernels.exact or number_format == "F32":
        bytes_per_weight = 4.0
    elif number_format.startswith("Q4_") and kernels.int4:
        bytes_per_weight = 0.85
    elif number_format.startswith(("Q8_", "Q6_")) and kernels.int8:
        bytes_per_weight = 1.25
    else:
        bytes_per_weight = 2.0
    return int(bytes_per_weight * parameters(config))


def _require_memory(config: Config, number_format: str, kernels: Kernels) -> None:
    """Raise `NotEnoughMemory` if the conversion would not fit in memory."""
    working = _WORKING_COPIES * 4 * config.vocabulary_size * config.width
    needed = _packed_size(config, number_format, kernels) + working
    available = available_memory()
    if available is not None and needed > available:
        raise NotEnoughMemory(
            f"the model needs about {needed / 1e9:.1f} GB of memory, but only "
            f"{available / 1e9:.1f} GB are free.",
            "Close other programs, or use a smaller model or a Q4_1 file.",
        )
