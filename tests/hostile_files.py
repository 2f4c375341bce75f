"""Make malicious model files: valid files with harmful changes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ABSURD = (0, 1, 2**7, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**48, 2**60, 2**63, 2**64 - 1)


@st.composite
def changes(draw: st.DrawFn, size: int) -> Callable[[bytes], bytes]:
    """Draw a change to the first `size` bytes of a file.

    The change is an absurd number, flipped, removed or inserted bytes, or a premature end.
    """
    place = draw(st.integers(0, size - 1))
    match draw(st.sampled_from(["number", "number", "bytes", "out", "in", "end"])):
        case "number":
            form = draw(st.sampled_from("BHIQ"))
            number = draw(st.sampled_from(ABSURD)) % 2 ** (8 * struct.calcsize(f"<{form}"))
            put = struct.pack(f"<{form}", number)
            return lambda data: data[:place] + put + data[place + len(put) :]
        case "bytes":
            put = draw(st.binary(min_size=1, max_size=16))
            return lambda data: data[:place] + put + data[place + len(put) :]
        case "out":
            length = draw(st.integers(1, 64))
            return lambda data: data[:place] + data[place + length :]
        case "in":
            put = draw(st.binary(min_size=1, max_size=64))
            return lambda data: data[:place] + put + data[place:]
    return lambda data: data[:place]


HOSTILE_VALUES: st.SearchStrategy[object] = st.one_of(
    st.sampled_from(
        [None, True, -1, 0, 0.5, 2**31, 2**63, 2**64, 10**30, 1e308, "", "x" * 5000, [], {}]
    ),
    st.sampled_from(
        ["\x1b]0;t\x07", "\ud800", "../../etc/passwd", "/dev/zero", "a\x00b", "(a+)+$"]
    ),
    st.lists(st.integers(-1, 3), max_size=3),
    st.dictionaries(st.sampled_from(["type", "a", "content"]), st.text(max_size=3), max_size=2),
)


@st.composite
def changed_json(draw: st.DrawFn, sound: Any) -> Any:
    """Return `sound` with one to three of its values, at any level, replaced by harmful ones."""
    value = json.loads(json.dumps(sound))
    for _ in range(draw(st.integers(1, 3))):
        value = _changed(draw, value)
    return value


def _changed(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value, key=str)))
        if not draw(st.integers(0, 9)):
            return {each: value[each] for each in value if each != key}
        return value | {key: _changed(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        at = draw(st.integers(0, min(len(value), 8) - 1))
        return [*value[:at], _changed(draw, value[at]), *value[at + 1 :]]
    return draw(HOSTILE_VALUES)


def write_json(path: Path, value: Any) -> None:
    path.write_bytes(json.dumps(value).encode())


def gguf_text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_header(*fields: tuple[str, bytes], tensors: bytes = b"", count: int = 0) -> bytes:
    """Return a GGUF header; each field is its key, and its type and value as bytes."""
    body = b"".join(gguf_text(key) + value for key, value in fields)
    return struct.pack("<4sIQQ", b"GGUF", 3, count, len(fields)) + body + tensors
