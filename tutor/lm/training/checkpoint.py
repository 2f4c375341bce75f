"""Save and load the state of a training run: weights, optimizer state, and step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import safe_open
from safetensors.torch import save_file

from tutor.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_MEANS = ("exp_avg", "exp_avg_sq", "step")  # what AdamW stores for each weight


def save_atomically(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write a safetensors file atomically, so that it is never incomplete."""
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, metadata)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Save the weights of a trained model in bfloat16."""
    halved = {name: weight.detach().bfloat16().contiguous() for name, weight in weights.items()}
    save_atomically(halved, path, {"format": "pt"})


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.AdamW,
    step: int,
    identity: str,
    notes: str = "",
) -> None:
    """Save the state after `step` steps.

    `identity` is a string that depends on the settings of the run. `notes` is any text, stored with
    the state; `about` returns it.
    """
    tensors = {f"weight.{name}": weight.detach() for name, weight in network.named_parameters()}
    for name, weight in network.named_parameters():
        for mean in _MEANS:
            tensors[f"{mean}.{name}"] = optimizer.state[weight][mean]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_atomically(tensors, path, {"step": str(step), "identity": identity, "notes": notes})


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.AdamW, identity: str
) -> int:
    """Restore the state from `path`, and return its step, or 0 if the file doesn't exist.

    Raises `UsageError` if the checkpoint is from a run with different settings.
    """
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if metadata["identity"] != identity:
            raise UsageError(
                f"{path} is a checkpoint from a run with different settings.",
                "Delete the file to start over, or use the same settings.",
            )
        for name, weight in network.named_parameters():
            weight.data.copy_(file.get_tensor(f"weight.{name}"))
            optimizer.state[weight] = {m: file.get_tensor(f"{m}.{name}") for m in _MEANS}
    return int(metadata["step"])


def about(path: Path) -> dict[str, str]:
    """Return the metadata of a checkpoint: `step`, `identity` and `notes`."""
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata()
        return metadata
