"""Test which device is chosen, and that all of a network's work happens there.

No test needs a GPU: PyTorch's "meta" device, whose tensors have a size but no numbers, takes its
place. Like a GPU, it refuses to work with tensors of the CPU or to return a number.
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
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import next_token_surprisals, switched_off
from tutor.lm.load import load_model
from tutor.lm.network import KeyValueCache
from tutor.lm.session import Session
from tutor.models.find import from_path


class OneDevice(TorchDispatchMode):
    """A mode that refuses tensors of two devices in one operation, as a GPU does.

    The "meta" device accepts them. A single number from another device is allowed.
    """

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = tree_leaves((args, kwargs))
        devices = {str(x.device) for x in given if isinstance(x, Tensor) and x.dim()}
        if len(devices) > 1:
            raise RuntimeError(f"{function}: {devices}")
        return function(*args, **(kwargs or {}))


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yield the tiny model as `load_model` builds it for a GPU; its results are random."""
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


def test_a_session_computes_nothing_on_the_cpu(on_gpu: Any) -> None:
    session = Session(on_gpu, [5, 6, 7])
    assert len(session.distribution(3, PLAIN, seed=0, top=4).rows) == 4
    session.append([8])
    assert session.distribution(4, PLAIN, seed=0, top=4).position == 4
    assert [bits is None for bits in session.surprisals()] == [True, False, False, False]
    assert len(session.fork(2).find(2, PLAIN, "e", 3)) == 3
    xray = session.xray(2)
    assert len(xray.lens) == xray.layers + 1


def test_labs_compute_nothing_on_the_cpu(on_gpu: Any) -> None:
    network, ids = on_gpu.network, [5, 6, 7, 8]
    weights = heads.attention(network, ids)
    assert heads.scores(weights, heads.previous(ids)) is not None
    assert head_vectors(network, ids, 1, 2).queries.device.type == "meta"
    table = EmbeddingTable(network)
    assert len(nearest(table.cosines(table.rows_of([5]))[0], 3)) == 3
    passage = ForwardPass(network, ids, partial(switched_off, network, [(0, 1)]))
    passage.advance(1000.0)
    assert len(next_token_surprisals(network, passage.stream, ids).tolist()) == 3


@torch.inference_mode()
def test_the_meta_device_refuses_tensors_on_the_cpu(on_gpu: Any) -> None:
    network = on_gpu.network
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
def test_the_chosen_device(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, cuda: bool, mps: bool, chosen: str
) -> None:
    monkeypatch.delenv(device.VARIABLE, raising=False)
    if wanted is not None:
        monkeypatch.setenv(device.VARIABLE, wanted)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device.choose_device() == chosen


def test_an_unknown_device_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(device.VARIABLE, "gpu0")
    with pytest.raises(UsageError, match="gpu0"):
        device.choose_device()


def test_if_a_device_fails_the_cpu_is_used_and_this_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # this device returns no numbers, so the test run of the model fails
    monkeypatch.setattr(load, "choose_device", lambda: "meta")
    stages: list[str] = []
    found = from_path(write_tiny_folder(tmp_path / "tiny"))
    model = load_model(found, on_stage=lambda stage, *_: stages.append(stage))
    assert model.card.device == "cpu"
    assert stages.count("meta cannot be used; using the CPU instead") == 1
    assert Session(model, [5, 6]).distribution(2, PLAIN, seed=0, top=1).rows
