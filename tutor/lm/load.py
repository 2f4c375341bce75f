"""Load a model from disk: network, tokenizer and chat template.

When a GGUF file is first loaded, its weights are packed for this machine and saved; later loads
memory-map the packed copy. A Hugging Face folder is converted in memory each time. If a model
cannot be used, a `ModelError` explains why and what to do.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import torch

from tutor import paths
from tutor.errors import ModelDamaged, NoHome, NotEnoughMemory
from tutor.lm.distribution import ModelCard
from tutor.lm.fast.device import DEVICE_ERRORS, ON_GPU, choose_device
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.fast.kernels import EXACT, Kernels, choose_kernels, use_threads
from tutor.lm.fast.network import build, forms
from tutor.lm.fast.shortage import shortage_in_words
from tutor.lm.formats.convert import convert, matrices, parameters
from tutor.lm.formats.packed_file import (
    Description,
    FileStamp,
    PackedModel,
    find_packed,
    save_packed,
)
from tutor.lm.formats.soundness import require_sound
from tutor.lm.formats.source import Source, about
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import Config
from tutor.lm.self_test import run_self_test
from tutor.lm.tokenizer import Tokenizer
from tutor.models import FoundModel
from tutor.models.report import OnStage, measured, quiet

log = logging.getLogger(__name__)

# The number of 32-bit copies of the largest matrix for which there must be memory during
# conversion, in addition to the memory for all weights.
_WORKING_COPIES = 3


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
        if found.kind == "folder":
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
    """Return the packed copy of a model file. If there is no copy, create it."""
    stamp, folders = FileStamp.of(found.path), _pack_folders(found)
    packed = find_packed(folders, stamp, found.sha256)
    if packed is not None and packed.description.stamp == stamp:
        return packed
    sha256 = checksum([found.path], measured(on_stage, "checking the model file", stamp.size))
    if found.sha256 is not None and sha256 != found.sha256:
        raise ModelDamaged(
            f"the checksum is {sha256[:12]}... instead of {found.sha256[:12]}...: the file was "
            "altered, or the download is incomplete.",
            "Download the model again with `tutor model pull`.",
        )
    # Look again by checksum: a copy may exist from before the file's modification time or name
    # changed.
    if packed is None and found.sha256 is None:
        packed = find_packed(folders, stamp, sha256)
    if packed is not None:
        return packed
    on_stage("reading the model file")
    source, stage = _open(found), "packing the weights for this machine (first run only)"
    packed = _converted(found, source, choose_kernels(), sha256, stamp, on_stage, stage)
    on_stage("saving the packed weights")
    for folder in folders:
        with suppress(OSError):  # if saving fails, the next start packs the model again
            save_packed(folder, packed)
            break
    return packed


def _on_gpu(found: FoundModel, device: str, on_stage: OnStage) -> LanguageModel:
    """Load the model on a GPU, and test it with a short text.

    Raises PyTorch's own errors if the model cannot run on the GPU, and `ModelDamaged` if its output
    is not a number.
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
    stamp, stage = FileStamp.of(files[0]), "preparing the weights"
    packed = _converted(found, source, kernels, sha256, stamp, on_stage, stage)
    return _model(found, packed, device)


def _open(found: FoundModel) -> Source:
    if found.kind == "gguf":
        # importing the module is slow and rarely needed
        from tutor.lm.formats.gguf_file import GgufFile

        return GgufFile(found.path)
    from tutor.lm.formats.hugging_face import HuggingFaceFolder

    return HuggingFaceFolder(found.path)


def _converted(
    found: FoundModel,
    source: Source,
    kernels: Kernels,
    sha256: str,
    stamp: FileStamp,
    on_stage: OnStage,
    stage: str,
) -> PackedModel:
    tokenizer = source.tokenizer()
    require_sound(source.config, tokenizer)
    _require_memory(source.config, source.format, kernels)
    tensors = convert(source, kernels, measured(on_stage, stage, matrices(source.config)))
    description = Description(
        sha256, stamp, source.format, source.config, source.chat_template, source=str(found.path)
    )
    return PackedModel(description, tensors, tokenizer.to_json())


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


def _pack_folders(found: FoundModel) -> list[Path]:
    """Return the folders for packed copies, in the order in which to try them.

    An installed model has its own folder; every learner has one too.
    """
    folders = [folder for folder in paths.model_folders() if folder == found.path.parent]
    with suppress(NoHome):
        folders.append(paths.user_models_folder())
    return folders


def _require_memory(config: Config, number_format: str, kernels: Kernels) -> None:
    """Raise `NotEnoughMemory` if the conversion would not fit in memory."""
    if kernels.exact or number_format == "F32":
        bytes_per_weight = 4.0
    elif number_format.startswith("Q4_") and kernels.int4:
        bytes_per_weight = 1.0
    else:
        bytes_per_weight = 2.0
    working = _WORKING_COPIES * 4 * config.vocabulary_size * config.width
    needed = bytes_per_weight * parameters(config) + working
    available = available_memory()
    if available is not None and needed > available:
        raise NotEnoughMemory(
            f"the model needs about {needed / 1e9:.1f} GB of memory, but only "
            f"{available / 1e9:.1f} GB are free.",
            "Close other programs, or use a smaller model or a Q4_1 file.",
        )
