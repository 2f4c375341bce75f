"""Write tiny GGUF files of random weights, in any number format, valid or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from tests.tiny_model import byte_fields

LAYERS, WIDTH, HEADS, SHARED, HEAD_SIZE, HIDDEN, VOCABULARY = 2, 256, 4, 2, 64, 256, 288

Values = dict[str, NDArray[np.float32]]


def write_gguf(
    path: Path,
    number_format: str = "F32",
    *,
    table_format: str | None = None,
    mixed: dict[str, str] | None = None,
    architecture: str = "llama",
    settings: dict[str, Any] | None = None,
    extra: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    tied: bool = True,
) -> Values:
    """Write a model. Return the weights that a reader should decode, by their GGUF names.

    `mixed` gives some tensors another format; `extra` adds tensors, `without` leaves some out.
    """
    random = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(SHARED)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD_SIZE)
    writer.add_rope_freq_base(10_000.0)
    writer.add_file_type(_FILE_TYPES.get(number_format, gguf.LlamaFileType.ALL_F32))
    _add_tokenizer(writer)
    for key, value in (settings or {}).items():
        add = writer.add_string if isinstance(value, str) else writer.add_float32
        add(key, value)
    values: Values = {}
    for name, shape in _shapes(tied).items():
        if name in without:
            continue
        form = number_format if len(shape) == 2 else "F32"
        if name in ("token_embd.weight", "output.weight"):
            form = table_format or number_format
        form = (mixed or {}).get(name, form)
        kind = gguf.GGMLQuantizationType[form]
        data = _quantized(random, shape, kind)
        values[name] = np.asarray(gguf.dequantize(data, kind), dtype=np.float32)
        writer.add_tensor(name, data, raw_dtype=kind)
    for name in extra:
        writer.add_tensor(name, np.ones(HEAD_SIZE // 2, dtype=np.float32) * 2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return values


_FILE_TYPES = {
    name.removeprefix("MOSTLY_").removeprefix("ALL_"): kind
    for name, kind in gguf.LlamaFileType.__members__.items()
} | {"Q4_K": gguf.LlamaFileType.MOSTLY_Q4_K_M}


def _shapes(tied: bool) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        name = f"blk.{layer}"
        shapes |= {
            f"{name}.attn_norm.weight": (WIDTH,),
            f"{name}.attn_q.weight": (HEADS * HEAD_SIZE, WIDTH),
            f"{name}.attn_k.weight": (SHARED * HEAD_SIZE, WIDTH),
            f"{name}.attn_v.weight": (SHARED * HEAD_SIZE, WIDTH),
            f"{name}.attn_output.weight": (WIDTH, HEADS * HEAD_SIZE),
            f"{name}.ffn_norm.weight": (WIDTH,),
            f"{name}.ffn_gate.weight": (HIDDEN, WIDTH),
            f"{name}.ffn_up.weight": (HIDDEN, WIDTH),
            f"{name}.ffn_down.weight": (WIDTH, HIDDEN),
        }
    shapes["output_norm.weight"] = (WIDTH,)
    if not tied:
        shapes["output.weight"] = (VOCABULARY, WIDTH)
    return shapes


def _quantized(
    random: np.random.Generator, shape: tuple[int, ...], kind: gguf.GGMLQuantizationType
) -> NDArray[Any]:
    values = (random.standard_normal(shape) * 0.05).astype(np.float32)
    if len(shape) == 1:
        values += 1
    if kind not in (gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K):
        return np.asarray(gguf.quants.quantize(values, kind))
    # The gguf package reads these formats but does not write them, so use random blocks with
    # small scales.
    size, bytes_per_block = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (*shape[:-1], shape[-1] // size, bytes_per_block))
    data = blocks.astype(np.uint8)
    scale = np.frombuffer(np.float16(2e-5).tobytes(), dtype=np.uint8)
    if kind == gguf.GGMLQuantizationType.Q4_K:
        data[..., 0:2] = data[..., 2:4] = scale
    else:
        data[..., -2:] = scale
    return data.reshape(*shape[:-1], -1)


def _add_tokenizer(writer: gguf.GGUFWriter) -> None:
    fields = byte_fields()
    writer.add_tokenizer_model(fields["tokenizer.ggml.model"])
    writer.add_tokenizer_pre(fields["tokenizer.ggml.pre"])
    writer.add_token_list(fields["tokenizer.ggml.tokens"])
    writer.add_token_types(fields["tokenizer.ggml.token_type"])
    writer.add_token_merges(fields["tokenizer.ggml.merges"])
    writer.add_bos_token_id(fields["tokenizer.ggml.bos_token_id"])
    writer.add_eos_token_id(fields["tokenizer.ggml.eos_token_id"])
    writer.add_add_bos_token(False)
