"""Make `attribution.json`: direct attribution and ablation with hooks on a `transformers` model.

    python tests/reference/make_attribution.py PATH/TO/SmolLM2-135M-Instruct.Q4_1.gguf

The file contains, for the first answer minus the second, the direct contribution of the embedding,
of each head and of each feed-forward network, and the difference that is left if one head or one
feed-forward network is set to zero. Everything is computed in 32-bit floats by code that is not
part of this project.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers

FOLDER = Path(__file__).parent
TEXT = "The capital of France is"
ANSWERS = (" Paris", " London")


def main(path: Path) -> None:
    arguments = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**arguments)
    model = transformers.AutoModelForCausalLM.from_pretrained(**arguments, dtype=torch.float32)
    ids = tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    answers = [tokenizer(answer, add_special_tokens=False)["input_ids"][0] for answer in ANSWERS]
    data = {
        "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
        "text": TEXT,
        "answers": ANSWERS,
        **_contributions(model, ids, answers),
        **_ablations(model, ids, answers),
    }
    (FOLDER / "attribution.json").write_text(json.dumps(data) + "\n", encoding="utf-8")


def _rounded(values: torch.Tensor) -> Any:
    rounded = (values.double() * 1e5).round() / 1e5
    return rounded.tolist()


@torch.inference_mode()
def _contributions(model: Any, ids: list[int], answers: list[int]) -> dict[str, Any]:
    """Return the direct contributions at the last position, and the difference of the logits."""
    mixed: list[torch.Tensor] = []
    forward: list[torch.Tensor] = []
    hooks = []
    for block in model.model.layers:
        hooks += [
            block.self_attn.o_proj.register_forward_pre_hook(
                lambda _m, x: mixed.append(x[0][0, -1].clone())
            ),
            block.mlp.register_forward_hook(lambda _m, _x, y: forward.append(y[0, -1].clone())),
        ]
    ends: list[torch.Tensor] = []
    hooks.append(
        model.model.norm.register_forward_pre_hook(lambda _m, x: ends.append(x[0][0, -1].clone()))
    )
    logits = model(torch.tensor([ids])).logits[0, -1]
    for hook in hooks:
        hook.remove()
    rows = model.lm_head.weight[answers[0]] - model.lm_head.weight[answers[1]]
    scale = (ends[0].square().mean() + model.config.rms_norm_eps).rsqrt()
    direction = rows * model.model.norm.weight * scale
    heads = model.config.num_attention_heads
    of_heads = []
    for block, values in zip(model.model.layers, mixed, strict=True):
        columns = block.self_attn.o_proj.weight.view(len(values), heads, -1)
        of_heads.append(torch.einsum("whd,hd,w->h", columns, values.view(heads, -1), direction))
    return {
        "difference": _rounded(logits[answers[0]] - logits[answers[1]]),
        "embedding": _rounded(model.model.embed_tokens.weight[ids[-1]] @ direction),
        "heads": _rounded(torch.stack(of_heads)),
        "feed_forward": _rounded(torch.stack(forward) @ direction),
    }


@torch.inference_mode()
def _ablations(model: Any, ids: list[int], answers: list[int]) -> dict[str, Any]:
    """Return the difference of the logits without each head and each feed-forward network.

    All heads of a layer are one batch. In the last row, the feed-forward network is off.
    """
    heads = model.config.num_attention_heads
    size = model.config.hidden_size // heads
    without: list[torch.Tensor] = []
    for block in model.model.layers:

        def no_head(_module: Any, inputs: Any) -> tuple[torch.Tensor]:
            value = inputs[0].clone()
            for head in range(heads):
                value[head, :, head * size : (head + 1) * size] = 0
            return (value,)

        def no_forward(_module: Any, _inputs: Any, result: torch.Tensor) -> torch.Tensor:
            result = result.clone()
            result[heads] = 0
            return result

        hooks = [
            block.self_attn.o_proj.register_forward_pre_hook(no_head),
            block.mlp.register_forward_hook(no_forward),
        ]
        logits = model(torch.tensor([ids] * (heads + 1))).logits[:, -1]
        without.append(logits[:, answers[0]] - logits[:, answers[1]])
        for hook in hooks:
            hook.remove()
    found = torch.stack(without)
    return {
        "without_head": _rounded(found[:, :heads]),
        "without_feed_forward": _rounded(found[:, heads]),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
