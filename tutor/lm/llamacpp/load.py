"""Open a model with `tutor.lm.network`, or with llama.cpp if our network does not support it."""

from __future__ import annotations

from mmap import ACCESS_READ, mmap

from tutor.errors import ModelDamaged, ModelUnsupported, NotEnoughMemory
from tutor.installation import install_command
from tutor.language import _
from tutor.lm.distribution import ModelCard
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.fast.kernels import use_threads
from tutor.lm.formats.source import about
from tutor.lm.language_model import LanguageModel
from tutor.lm.llamacpp.library import LlamaCpp, is_installed
from tutor.lm.llamacpp.session import LlamaModel, Reader, refuse
from tutor.lm.llamacpp.tokenizer import LlamaTokenizer
from tutor.lm.load import checksum, load_model
from tutor.models import FoundModel
from tutor.models.report import OnStage, measured, quiet

EXTRA = "llamacpp"
"""The name of the optional extra of this package that installs `llama-cpp-python`."""


def open_model(found: FoundModel, *, on_stage: OnStage = quiet) -> LanguageModel | LlamaModel:
    """Load a model for stepping and chat.

    A GGUF file that our own implementation doesn't support is opened with llama.cpp. Raises the
    same errors as `load_model`. If `llama-cpp-python` is not installed, the error explains how to
    install it.
    """
    try:
        return load_model(found, on_stage=on_stage)
    except ModelUnsupported as error:
        if found.kind != "gguf":
            raise
        if not is_installed():
            raise ModelUnsupported(
                error.happened,
                _("{advice} Or run it with llama.cpp. To install llama.cpp: {command}.")
                .format(advice=error.next_step, command=install_command(EXTRA))
                .strip(),
            ) from error
    with about(found.path):
        return _open_with_llama(found, on_stage)


def _open_with_llama(found: FoundModel, on_stage: OnStage) -> LlamaModel:
    # Our own reader checks the header first, because llama.cpp checks files less strictly.
    from tutor.lm.formats.gguf_file import number_format
    from tutor.lm.formats.gguf_header import read_header

    size = found.path.stat().st_size
    available = available_memory()
    if available is not None and size > available:
        raise NotEnoughMemory(
            f"the file has {size / 1e9:.1f} GB, but only {available / 1e9:.1f} GB are free.",
            "Close other programs, or use a smaller model.",
        )
    with found.path.open("rb") as file:
        fields, _tensors = read_header(memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)))
    template = fields.text("tokenizer.chat_template", "") or None
    sha256 = checksum([found.path], measured(on_stage, "checking the model file", size))
    on_stage("opening the model with llama.cpp")
    library = LlamaCpp(found.path, use_threads())
    if library.vocabulary_size < 1 or library.context < 1:
        raise ModelDamaged("the model has no vocabulary or no context length.")
    tokenizer = LlamaTokenizer(library)
    card = ModelCard(
        name=found.name,
        path=str(found.path),
        sha256=sha256,
        format=number_format(fields),
        kernel="llama.cpp",
        parameters=library.parameters,
        layers=library.layers,
        heads=library.heads,
        width=library.width,
        context=library.context,
        vocabulary_size=library.vocabulary_size,
        chat=template is not None,
        end_ids=tokenizer.end_ids,
    )
    return LlamaModel(card, Reader(library), tokenizer, template)


def require_network(model: LanguageModel | LlamaModel) -> LanguageModel:
    """Return `model` if our own implementation runs it. Otherwise, raise `NotWithLlamaCpp`."""
    if isinstance(model, LlamaModel):
        refuse()
    return model
