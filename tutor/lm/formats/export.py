"""Write a network as a Hugging Face model folder, which `transformers` and tutor can load.

The folder contains `config.json` (LlamaForCausalLM), `model.safetensors` in bfloat16,
`tokenizer.json`, and `tokenizer_config.json` with the chat template.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from tutor.lm.architectures.family import NAMES
from tutor.lm.formats.source import NORMS, PRODUCTS, shapes
from tutor.lm.network import Config, Transformer
from tutor.lm.training.checkpoint import save_weights

if TYPE_CHECKING:
    from torch import Tensor

END, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def export_folder(folder: Path, network: Transformer, tokenizer_file: Path) -> None:
    """Write all files of the model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    if tokenizer_file.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    _write_json(folder / "config.json", llama_config(network.config, tokenizer))
    _write_json(folder / "generation_config.json", _end_tokens(tokenizer))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(network.config))
    save_weights(llama_tensors(network), folder / "model.safetensors")


def llama_tensors(network: Transformer) -> dict[str, Tensor]:
    """Return the weights under their names in `transformers`.

    In `transformers`, queries, keys and values have separate matrices, and so do gate and up.
    """
    weights = network.state_dict()
    tensors = {
        f"{NAMES[name]}.weight": weights[f"{name}.weight"]
        for name in ("embedding", "norm", "head")
        if not (name == "head" and network.config.tied)
    }
    for number, block in enumerate(network.blocks):
        for name, weight in _llama_block(block.state_dict(), network.config).items():
            tensors[f"model.layers.{number}.{name}.weight"] = weight
    return tensors


def _llama_block(block: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Return the weights of one block by name, with our concatenated matrices split up again."""
    sizes = shapes(config)
    parts = {norm: block[f"{norm}.weight"] for norm in NORMS}
    for name, joined in PRODUCTS.items():
        rows = [sizes[part][0] for part in joined]
        parts |= zip(joined, block[f"{name}.weight"].split(rows), strict=True)
    for part in ("query", "key"):
        parts[part] = _first_halves(parts[part], config.head_size)
    return {NAMES[part]: weight for part, weight in parts.items()}


def _first_halves(weight: Tensor, head_size: int) -> Tensor:
    """Reorder the rows of each head for the rotary embedding of `transformers`.

    Our rotary embedding pairs neighboring dimensions; `transformers` pairs dimension i of the first
    half with dimension i of the second half. So rows a0 b0 a1 b1 a2 b2 become a0 a1 a2 b0 b1 b2.
    """
    pairs = weight.view(-1, head_size // 2, 2, weight.shape[-1])
    return pairs.transpose(1, 2).reshape(weight.shape)


def llama_config(config: Config, tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the contents of `config.json`."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": config.vocabulary_size,
        "hidden_size": config.width,
        "intermediate_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_value_heads,
        "head_dim": config.head_size,
        "hidden_act": "silu",
        "max_position_embeddings": config.context,
        "rope_theta": config.rope_base,
        "rms_norm_eps": config.norm_epsilon,
        "tie_word_embeddings": config.tied,
        "attention_bias": False,
        "mlp_bias": False,
        "torch_dtype": "bfloat16",
        **_end_tokens(tokenizer),
    }


def _end_tokens(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the ids of the special tokens, keyed by their names in `transformers`."""
    return {
        "bos_token_id": None,
        "eos_token_id": [tokenizer.token_to_id(END), tokenizer.token_to_id(TURN_END)],
        "pad_token_id": tokenizer.token_to_id(END),
    }


def _tokenizer_config(config: Config) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.context,
        "eos_token": END,
        "pad_token": END,
        "additional_special_tokens": [TURN_START, TURN_END],
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
