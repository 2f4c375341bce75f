"""Which device is chosen, and that nothing of a network's work is left on another.

No test needs a graphics card: PyTorch's "meta" device, whose tensors have a size and no numbers,
stands for one. It refuses to work with tensors of the CPU and to tell a number, as a card does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.tiny_model import tiny_model, write_tiny_folder
from tutor.errors import UsageError
from tutor.labs.attention_formula.backend import head_vectors
from tutor.lm import load
from tutor.lm.distribution import PLAIN
from tutor.lm.embeddings.neighbors import EmbeddingTable, nearest
from tutor.lm.fast import device
from tutor.lm.fast.network import build
from tutor.lm.inspect import heads
from tutor.lm.inspect.interventions import bits_of_next, switched_off
from tutor.lm.inspect.passage import Passage
from tutor.lm.load import load_model
from tutor.lm.network import KeyValueCache
from tutor.lm.session import Session
from tutor.models.find import from_path


class OneDevice(TorchDispatchMode):
    """Refuses what a card refuses and "meta" lets pass: tensors of two devices in one operation,
    unless one of them is a single number."""

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = tree_leaves((args, kwargs))
        devices = {str(x.device) for x in given if isinstance(x, Tensor) and x.dim()}
        if len(devices) > 1:
            raise RuntimeError(f"{function}: {devices}")
        return function(*args, **(kwargs or {}))


@pytest.fixture
def on_a_card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The tiny model as `load_model` makes it for a card; what comes back from there is noise."""
    model = tiny_model()
    tensors = {
        name: (tensor.half() if tensor.dim() == 2 else tensor).to("meta")
        for name, tensor in model.network.state_dict().items()
    }
    model.network = build(model.network.config, tensors)
    model.card = SimpleNamespace(device="meta")
    monkeypatch.setattr(Tensor, "cpu", lambda there: torch.rand(there.shape))
    with OneDevice():
        yield model


def test_a_session_leaves_nothing_on_the_cpu(on_a_card: Any) -> None:
    session = Session(on_a_card, [5, 6, 7])
    assert len(session.distribution(3, PLAIN, seed=0, top=4).rows) == 4
    session.append([8])
    assert session.distribution(4, PLAIN, seed=0, top=4).position == 4
    assert [bits is None for bits in session.surprisals()] == [True, False, False, False]
    assert len(session.fork(2).find(2, PLAIN, "e", 3)) == 3
    xray = session.xray(2)
    assert len(xray.lens) == xray.layers + 1


def test_the_benches_of_labs_leave_nothing_on_the_cpu(on_a_card: Any) -> None:
    network, ids = on_a_card.network, [5, 6, 7, 8]
    weights = heads.attention(network, ids)
    assert heads.scores(weights, heads.previous(ids)) is not None
    assert head_vectors(network, ids, 1, 2).queries.device.type == "meta"
    table = EmbeddingTable(network)
    assert len(nearest(table.cosines(table.some([5]))[0], 3)) == 3
    passage = Passage(network, ids, partial(switched_off, network, [(0, 1)]))
    passage.go_on(1000.0)
    assert len(bits_of_next(network, passage.stream, ids).tolist()) == 3


@torch.inference_mode()
def test_the_meta_device_refuses_what_is_on_the_cpu(on_a_card: Any) -> None:
    network = on_a_card.network
    with pytest.raises(RuntimeError):
        network(torch.tensor([5]), KeyValueCache(network.config, device="cpu"))
    with pytest.raises(RuntimeError):
        network(torch.tensor([5])).tolist()


@pytest.mark.parametrize(
    ("wanted", "cuda", "mps", "chosen"),
    [
        (None, True, False, "cuda"),
        (None, False, True, "mps"),
        ("auto", False, False, "cpu"),
        ("cpu", True, True, "cpu"),
        ("mps", True, True, "mps"),
    ],
)
def test_the_device(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, cuda: bool, mps: bool, chosen: str
) -> None:
    monkeypatch.delenv(device.VARIABLE, raising=False)
    if wanted is not None:
        monkeypatch.setenv(device.VARIABLE, wanted)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device.choose_device() == chosen


def test_another_name_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(device.VARIABLE, "gpu0")
    with pytest.raises(UsageError, match="gpu0"):
        device.choose_device()


def test_a_device_that_fails_is_told_once_and_the_cpu_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # no number comes back from there, which shows when the model is tried
    monkeypatch.setattr(load, "choose_device", lambda: "meta")
    stages: list[str] = []
    found = from_path(write_tiny_folder(tmp_path / "tiny"))
    model = load_model(found, on_stage=lambda stage, *_: stages.append(stage))
    assert model.card.device == "cpu"
    assert stages.count("meta cannot be used, so the CPU is") == 1
    assert Session(model, [5, 6]).distribution(2, PLAIN, seed=0, top=1).rows
