"""Make `patching.json`: results of activation patching with hooks on a `transformers` model.

    python tests/reference/make_patching.py PATH/TO/SmolLM2-135M-Instruct.Q4_1.gguf

For every component, layer and position, the file contains the logit of the first answer minus the
logit of the second, computed in 32-bit floats by code that is not part of this project. For heads,
it contains all heads at the last position.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

FOLDER = Path(__file__).parent
TEXTS = ("The capital of France is", "The capital of Italy is")
ANSWERS = (" Paris", " Rome")


def main(path: Path) -> None:
    arguments = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**arguments)
    model = transformers.AutoModelForCausalLM.from_pretrained(**arguments, dtype=torch.float32)
    a, b = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS)
    answers = [tokenizer(answer, add_special_tokens=False)["input_ids"][0] for answer in ANSWERS]
    heads = model.config.num_attention_heads
    size = model.config.hidden_size // heads
    everything = slice(None)
    positions = [(at, everything) for at in range(len(a))]
    single = [(len(a) - 1, slice(head * size, (head + 1) * size)) for head in range(heads)]
    patched = {
        component: _patched(model, a, b, answers, component, places)
        for component, places in (
            ("residual", positions),
            ("attention", positions),
            ("feed-forward", positions),
            ("head", single),
        )
    }
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    data = {
        "versions": versions,
        "texts": TEXTS,
        "answers": ANSWERS,
        "a": _differences(model, [a], answers)[0],
        "b": _differences(model, [b], answers)[0],
        "patched": patched,
    }
    (FOLDER / "patching.json").write_text(json.dumps(data) + "\n", encoding="utf-8")


@torch.inference_mode()
def _differences(model: Any, texts: list[list[int]], answers: list[int]) -> list[float]:
    """Return the logit of the first answer minus the logit of the second, after each text."""
    logits = model(torch.tensor(texts)).logits[:, -1]
    return [round(value, 5) for value in (logits[:, answers[0]] - logits[:, answers[1]]).tolist()]


def _patched(
    model: Any,
    a: list[int],
    b: list[int],
    answers: list[int],
    component: str,
    places: list[tuple[int, slice]],
) -> list[list[float]]:
    """Return the results of all patches of a component: a list over the layers for each place.

    All places of a layer are one batch, in which each text is patched at its own place.
    """
    rows = []
    for block in model.model.layers:
        kept: list[torch.Tensor] = []

        def keep(value: torch.Tensor, kept: list[torch.Tensor] = kept) -> torch.Tensor:
            kept.append(value[0].clone())
            return value

        def change(value: torch.Tensor, kept: list[torch.Tensor] = kept) -> torch.Tensor:
            value = value.clone()
            for row, (at, part) in enumerate(places):
                value[row, at, part] = kept[0][at, part]
            return value

        with _hook(block, component, keep):
            _differences(model, [b], answers)
        with _hook(block, component, change):
            rows.append(_differences(model, [a] * len(places), answers))
    return [list(column) for column in zip(*rows, strict=True)]


def _hook(block: Any, component: str, act: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Apply `act` to an activation of a block until the hook is removed."""
    if component == "head":
        return block.self_attn.o_proj.register_forward_pre_hook(lambda _m, x: (act(x[0]),))
    modules = {"residual": block, "attention": block.self_attn.o_proj, "feed-forward": block.mlp}
    return modules[component].register_forward_hook(
        lambda _m, _x, y: (act(y[0]), *y[1:]) if isinstance(y, tuple) else act(y)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
