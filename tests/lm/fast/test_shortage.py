"""Too little memory is one error, whoever runs out of it."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from tutor.errors import ModelDamaged, NotEnoughMemory
from tutor.lm.fast.shortage import is_shortage, shortage_in_words


def damaged_for_want_of_memory() -> None:
    try:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    except OSError as error:
        raise ModelDamaged("it ends early.") from error


def too_much_of_pytorch() -> None:
    torch.empty(1 << 60)


def too_much_of_python() -> None:
    bytearray(1 << 60)


@pytest.mark.parametrize(
    "run_out", [damaged_for_want_of_memory, too_much_of_pytorch, too_much_of_python]
)
def test_it_is_recognized(run_out: object) -> None:
    assert callable(run_out)
    with pytest.raises(NotEnoughMemory, match="for this model"), shortage_in_words("this model"):
        run_out()


def test_other_failures_stay_what_they_are() -> None:
    with pytest.raises(ModelDamaged), shortage_in_words("this model"):
        raise ModelDamaged("it ends early.")


@pytest.mark.timeout(10)
def test_errors_that_name_each_other_as_their_cause_come_to_an_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert not is_shortage(one)
