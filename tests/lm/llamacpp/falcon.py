"""Write a tiny model of the Falcon family, which our own network does not support."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from tests.tiny_model import TEMPLATE, byte_fields

LAYERS, WIDTH, HEADS, VOCABULARY, CONTEXT = 2, 64, 4, 264, 200


def write_falcon(path: Path) -> Path:
    """Write a GGUF file with random weights: one key-value head, and a parallel block."""
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "falcon")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(4 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_chat_template(TEMPLATE)
    fields = byte_fields()
    writer.add_tokenizer_model(fields["tokenizer.ggml.model"])
    writer.add_tokenizer_pre(fields["tokenizer.ggml.pre"])
    writer.add_token_list(fields["tokenizer.ggml.tokens"])
    writer.add_token_types(fields["tokenizer.ggml.token_type"])
    writer.add_token_merges(fields["tokenizer.ggml.merges"])
    writer.add_bos_token_id(fields["tokenizer.ggml.bos_token_id"])
    writer.add_eos_token_id(fields["tokenizer.ggml.eos_token_id"])
    writer.add_add_bos_token(False)
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        shapes |= {
            f"{block}.attn_norm.weight": (WIDTH,),
            f"{block}.attn_norm.bias": (WIDTH,),
            f"{block}.attn_qkv.weight": (WIDTH + 2 * WIDTH // HEADS, WIDTH),
            f"{block}.attn_output.weight": (WIDTH, WIDTH),
            f"{block}.ffn_up.weight": (4 * WIDTH, WIDTH),
            f"{block}.ffn_down.weight": (WIDTH, 4 * WIDTH),
        }
    shapes |= {"output_norm.weight": (WIDTH,), "output_norm.bias": (WIDTH,)}
    for name, shape in shapes.items():
        values = (random.standard_normal(shape) * 0.1).astype(np.float32)
        writer.add_tensor(name, values + 1 if name.endswith("norm.weight") else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
