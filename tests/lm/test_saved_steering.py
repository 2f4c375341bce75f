"""Test the files of steering vectors: they are read as written, and damaged ones are refused."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tutor.errors import ModelError, TextError, UsageError
from tutor.lm.distribution import ModelCard
from tutor.lm.saved_steering import (
    ENDING,
    LARGEST,
    LARGEST_NUMBER,
    LONGEST,
    MOST_SENTENCES,
    Applied,
    SavedVector,
    checked_name,
    delete,
    find,
    packed,
    read,
    require_model,
    restore,
    saved,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

CARD = ModelCard("Tiny", "/tiny", "", "F32", "fp32", 1, 6, 2, 8, 64, 300, False, ())
VECTOR = SavedVector(
    name="kind words",
    model="ab12",
    model_name="Tiny",
    layer=3,
    first=("How nice", "So kind"),
    second=("How rude", "So mean"),
    values=packed([0.5, -2.0, 3.25]),
)


def encoded(**changed: Any) -> bytes:
    """Return a file with other values, which need not be valid."""
    return msgspec.msgpack.encode(msgspec.structs.asdict(VECTOR) | changed)


def test_a_vector_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "steering", VECTOR)
    assert read(path) == VECTOR
    assert VECTOR.numbers == (0.5, -2.0, 3.25)


@given(st.lists(st.floats(-LARGEST_NUMBER, LARGEST_NUMBER, width=32), min_size=1))
def test_the_numbers_are_kept_exactly(numbers: list[float]) -> None:
    assert list(replace(VECTOR, values=packed(numbers)).numbers) == numbers


def test_saved_vectors_are_listed_replaced_and_deleted(tmp_path: Path) -> None:
    assert saved(tmp_path / "none") == ()
    write(tmp_path, VECTOR)
    write(tmp_path, replace(VECTOR, name="b", layer=1))
    with pytest.raises(TextError, match="already saved as 'b'"):
        write(tmp_path, replace(VECTOR, name="b", layer=2))
    delete(tmp_path, "b")
    write(tmp_path, replace(VECTOR, name="b", layer=2))
    write(tmp_path, replace(VECTOR, name="b", layer=2))
    assert [(each.name, each.layer) for each in saved(tmp_path)] == [("b", 2), ("kind words", 3)]
    delete(tmp_path, "b")
    delete(tmp_path, "b")
    assert [each.name for each in saved(tmp_path)] == ["kind words"]


def test_the_vector_that_was_deleted_last_can_be_restored(tmp_path: Path) -> None:
    b = replace(VECTOR, name="b")
    write(tmp_path, VECTOR)
    write(tmp_path, b)
    delete(tmp_path, VECTOR.name)
    delete(tmp_path, "b")
    delete(tmp_path, "b")
    restore(tmp_path, (VECTOR.name,))  # Only the last one is kept.
    assert saved(tmp_path) == ()
    restore(tmp_path, (VECTOR.name, "b"))
    assert saved(tmp_path) == (b,)
    restore(tmp_path, ("b",))
    assert saved(tmp_path) == (b,)
    assert [each.name for each in tmp_path.iterdir()] == ["b.steering"]


def test_a_restored_vector_replaces_no_other(tmp_path: Path) -> None:
    write(tmp_path, VECTOR)
    delete(tmp_path, VECTOR.name)
    newer = replace(VECTOR, layer=1)
    write(tmp_path, newer)
    with pytest.raises(TextError, match="already saved"):
        restore(tmp_path, (VECTOR.name,))
    assert saved(tmp_path) == (newer,)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    """Reading it would wait until another process writes to the pipe."""
    write(tmp_path, VECTOR)
    os.mkfifo(tmp_path / f"pipe{ENDING}")
    with pytest.raises(ModelError, match="could not be read: not a regular file"):
        find("pipe:1", tmp_path)
    assert saved(tmp_path) == (VECTOR,)


@pytest.mark.parametrize("name", ["", " ", "../up", "a/b", "a:b", ".hidden", "a" * 41, "nul\0"])
def test_a_name_cannot_lead_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(TextError):
        checked_name(name)
    with pytest.raises(ValueError, match="not a steering vector"):
        replace(VECTOR, name=name)
    with pytest.raises(TextError):
        delete(tmp_path, name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04\x95pickle",
        b"x" * (LARGEST + 1),
        encoded(format="other"),
        encoded(layer=-1),
        encoded(values=b"123"),
        encoded(values=b""),
        encoded(values=packed([float("nan")])),
        encoded(values=packed([0.5, 3e38])),
        encoded(name="../up"),
        encoded(first=()),
        encoded(second=()),
        encoded(first=("x",) * (MOST_SENTENCES + 1)),
        encoded(second=("x" * (LONGEST + 1),)),
        encoded(model_name="\x1b[31mred"),
        encoded(model="a\nb"),
        encoded(model_name="x" * 100_000),
        msgspec.msgpack.encode(VECTOR)[:-1],
    ],
)
def test_a_damaged_file_is_refused_and_not_listed(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"kind words{ENDING}"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="is not a steering vector"):
        read(path)
    assert saved(tmp_path) == ()


def test_a_vector_is_named_with_its_strength(tmp_path: Path) -> None:
    path = write(tmp_path, VECTOR)
    for spec in ("kind words:-1.5", f"{path}:-1.5"):
        found = find(spec, tmp_path)
        assert (found.vector, found.strength) == (VECTOR, -1.5)
    assert found.option == "kind words:-1.5"
    assert found.said == "kind words, layer 4, -1.5"


@pytest.mark.parametrize("spec", ["", ":", "kind words", "kind words:", ":1", "kind words:x"])
def test_a_name_without_a_strength_is_refused(spec: str, tmp_path: Path) -> None:
    write(tmp_path, VECTOR)
    with pytest.raises(UsageError, match="NAME:STRENGTH"):
        find(spec, tmp_path)


@pytest.mark.parametrize("strength", ["nan", "inf", "20.5", "-21"])
def test_a_strength_out_of_range_is_refused(strength: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        find(f"kind words:{strength}", tmp_path)


@pytest.mark.parametrize("strength", [math.nan, math.inf, -20.5])
def test_a_document_with_an_invalid_strength_is_refused(strength: float) -> None:
    stored = msgspec.msgpack.encode({"vector": VECTOR, "strength": strength})
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(stored, type=Applied)


def test_a_vector_of_another_model_is_refused() -> None:
    card = replace(CARD, sha256="ab12")
    require_model(VECTOR, card)
    with pytest.raises(ModelError, match="was made with Tiny"):
        require_model(VECTOR, replace(card, sha256="other"))


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no steering vector with the name none"):
        read(tmp_path / "none")
