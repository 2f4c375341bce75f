"""Test that out-of-memory errors of all libraries become the same error."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from tutor.errors import ModelDamaged, NotEnoughMemory
from tutor.lm.fast.shortage import is_shortage, shortage_in_words


def damaged_because_of_memory() -> None:
    try:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    except OSError as error:
        raise ModelDamaged("it ends early.") from error


def too_much_for_pytorch() -> None:
    torch.empty(1 << 60)


def too_much_for_python() -> None:
    bytearray(1 << 60)


@pytest.mark.parametrize(
    "run_out", [damaged_because_of_memory, too_much_for_pytorch, too_much_for_python]
)
def test_too_little_memory_is_recognized(run_out: object) -> None:
    assert callable(run_out)
    with pytest.raises(NotEnoughMemory, match="for this model"), shortage_in_words("this model"):
        run_out()


def test_other_errors_are_not_changed() -> None:
    with pytest.raises(ModelDamaged), shortage_in_words("this model"):
        raise ModelDamaged("it ends early.")


@pytest.mark.timeout(10)
def test_errors_with_circular_causes_are_handled() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert not is_shortage(one)
