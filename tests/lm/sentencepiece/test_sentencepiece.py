"""Compare our reading of `tokenizer.model` with the `sentencepiece` package."""

from __future__ import annotations

import json
import re
import shutil
import struct
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile_files import changed_json, changes, write_json
from tests.lm.formats.test_protobuf import field
from tests.lm.sentencepiece.make_reference import CASES, FILE, HERE
from tutor.errors import ModelDamaged, ModelError, ModelUnsupported, TextError, TutorError
from tutor.lm.formats.sentencepiece import USER_DEFINED, Rules, Vocabulary, sentencepiece
from tutor.lm.formats.sentencepiece_file import parse_sentencepiece
from tutor.lm.tokenizer import Tokenizer

cases = pytest.mark.parametrize("case", CASES)
any_text = st.text(st.characters(exclude_categories=["Cs"])) | st.text(
    st.sampled_from("abthe \n\t▁<s>/0é中😀½ﬁ")
)

# What differs on purpose: a "▁" in a text becomes a space after extra spaces were removed and
# tokens such as "▁▁" were found. And `tokenizers` replaces a character together with the marks that
# belong to it, as it does for transformers.
_REPLACED = "[ﬁＡ½\u00a0\t\n\u200b]"
EXCEPTIONS = {
    "gemma": re.compile("▁"),
    "bpe-without-bytes": re.compile("▁"),
    "unigram": re.compile(rf"▁|{_REPLACED}[^\x00-\x7f]|[\r\x80-\U0010ffff]{_REPLACED}"),
}


@cache
def tokenizer(case: str) -> Tokenizer:
    return Tokenizer.from_sentencepiece(HERE / f"{case}.model")


def differs(case: str, text: str) -> bool:
    return case in EXCEPTIONS and bool(EXCEPTIONS[case].search(text))


@cases
def test_ids_agree_with_sentencepiece(case: str) -> None:
    ours = tokenizer(case)
    compared = 0
    for entry in json.loads(FILE.read_text(encoding="utf-8")):
        text, wanted = entry["text"], entry[case]
        if differs(case, text):
            continue
        if 0 in wanted and case not in ("gemma", "llama", "unigram"):
            with pytest.raises(TextError, match="no token for a character"):
                ours.encode(text)
            continue
        assert ours.encode(text) == wanted, text
        compared += 1
    assert compared >= 90


@cases
@given(text=any_text)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_agrees_with_sentencepiece(case: str, text: str) -> None:
    package = pytest.importorskip("sentencepiece", reason="needs the extra `reference`")
    processor = _processor(package, case)
    wanted = processor.encode(text)
    if differs(case, text):
        return
    try:
        ids = tokenizer(case).encode(text)
    except TextError:
        assert processor.unk_id() in wanted
        return
    if ids != wanted:  # of two splits with the same probability, either may be found
        assert case.startswith("unigram")
        assert sorted(ids) == sorted(wanted)


@cache
def _processor(package: Any, case: str) -> Any:
    return package.SentencePieceProcessor(model_file=str(HERE / f"{case}.model"))


@pytest.mark.parametrize("case", ["llama", "gemma"])
@given(text=any_text)
def test_no_byte_of_a_text_is_lost(case: str, text: str) -> None:
    ours = tokenizer(case)
    before = " " if case == "llama" and text else ""
    assert ours.decode(ours.encode(text)) == (before + text.replace("▁", " ")).encode()


@cases
@given(text=any_text)
def test_plain_text_never_becomes_a_special_token(case: str, text: str) -> None:
    ours = tokenizer(case)
    try:
        ids = ours.encode(f"<s>{text}</s><unk>")
    except TextError:
        return
    assert not any(ours.token(id_).special for id_ in ids)


def test_special_tokens_are_found_on_request() -> None:
    assert tokenizer("llama").encode("<s>", special=True) == [1]
    assert tokenizer("unigram").encode("</s>", special=True) == [2]
    ids = tokenizer("gemma").encode("<start_of_turn>user<end_of_turn>", special=True)
    named = tokenizer("gemma").special_ids
    assert (ids[0], ids[-1]) == (named["<start_of_turn>"], named["<end_of_turn>"])


def test_start_and_end_tokens_are_in_the_file() -> None:
    assert (tokenizer("llama").start_ids, tokenizer("llama").end_ids) == ((1,), (2,))
    assert (tokenizer("gemma").start_ids, tokenizer("gemma").end_ids) == ((2,), (1,))


@cases
def test_saving_keeps_everything(case: str) -> None:
    before = tokenizer(case)
    after = Tokenizer.from_json(before.to_json())
    assert (after.start_ids, after.end_ids) == (before.start_ids, before.end_ids)
    assert after.special_ids == before.special_ids
    assert after.encode("the next token") == before.encode("the next token")
    with nullcontext() if case in ("llama", "gemma", "unigram") else pytest.raises(TextError):
        after.encode("中")


# --- the files next to it -------------------------------------------------------------------------


def folder(tmp_path: Path, case: str = "llama", **files: Any) -> Path:
    path = tmp_path / "tokenizer.model"
    shutil.copyfile(HERE / f"{case}.model", path)
    for name, value in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    return path


def test_added_tokens_extend_the_vocabulary(tmp_path: Path) -> None:
    config = {
        "added_tokens_decoder": {
            "1": {"content": "<s>", "special": True},
            "705": {"content": "<|end|>", "special": True, "rstrip": True},
        },
        "eos_token": "<|end|>",
    }
    path = folder(tmp_path, added_tokens={"<|user|>": 700}, tokenizer_config=config)
    ours = Tokenizer.from_sentencepiece(path)
    assert ours.end_ids == (2, 705)
    assert ours.encode("<|user|>a<|end|>  b", special=True)[0] == 700
    ids = ours.encode("a<|end|>  \nb", special=True)
    assert ours.decode(ids) == b" a<|end|> b"
    assert not {700, 705}.intersection(ours.encode("<|user|><|end|>"))
    assert ours.token(703).text == "<unused 703>"


@pytest.mark.parametrize("case", ["llama", "unigram"])
def test_a_token_can_get_another_text(tmp_path: Path, case: str) -> None:
    tokens = {"5": {"content": "<|im_end|>", "special": True}}
    path = folder(tmp_path, case, tokenizer_config={"added_tokens_decoder": tokens})
    ours = Tokenizer.from_sentencepiece(path)
    assert ours.encode("<|im_end|>", special=True) == [5]
    assert ours.end_ids == (2, 5)


@pytest.mark.parametrize(
    ("config", "start"),
    [
        ({"add_bos_token": False}, ()),
        ({"add_bos_token": True, "bos_token": "</s>"}, (2,)),
        ({"bos_token": {"content": "<s>"}}, (1,)),
        ({"tokenizer_class": "T5Tokenizer"}, ()),
        ({"tokenizer_class": "LlamaTokenizer", "bos_token": None}, (1,)),
    ],
)
def test_the_settings_name_the_start_token(
    tmp_path: Path, config: dict[str, Any], start: tuple[int, ...]
) -> None:
    assert (
        Tokenizer.from_sentencepiece(folder(tmp_path, tokenizer_config=config)).start_ids == start
    )


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("added_tokens", [], ModelDamaged),
        ("added_tokens", {"<x>": -1}, ModelDamaged),
        ("added_tokens", {"<x>": 10**8}, ModelDamaged),
        ("added_tokens", {"": 700}, ModelDamaged),
        ("added_tokens", {"<s>": 700}, ModelUnsupported),
        ("tokenizer_config", {"added_tokens_decoder": {"x": {"content": "a"}}}, ModelDamaged),
        ("tokenizer_config", {"added_tokens_decoder": {"700": {}}}, ModelDamaged),
        ("tokenizer_config", {"add_bos_token": "yes"}, ModelDamaged),
    ],
)
def test_settings_that_make_no_sense(
    tmp_path: Path, name: str, value: Any, error: type[ModelError]
) -> None:
    with pytest.raises(error):
        Tokenizer.from_sentencepiece(folder(tmp_path, **{name: value}))


# --- hostile files --------------------------------------------------------------------------------

LENGTHS = pytest.mark.parametrize(
    "examples",
    [30, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])],
    ids=["short", "long"],
)


def use(path: Path) -> None:
    try:
        ours = Tokenizer.from_sentencepiece(path)
        ids = [*ours.start_ids, *ours.encode("hello </s> wörld ½")]
        ours.tokens(ids)
        Tokenizer.from_json(ours.to_json())
    except TutorError as error:
        told = str(error)
    else:
        told = ""
    assert len(told) < 1000


@LENGTHS
@pytest.mark.parametrize("case", ["gemma", "unigram"])
def test_changed_bytes(examples: int, case: str, tmp_path: Path) -> None:
    path = folder(tmp_path, case)
    sound = path.read_bytes()

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.lists(changes(len(sound)), min_size=1, max_size=3))
    def run(changed: Any) -> None:
        data = sound
        for change in changed:
            data = change(data)
        path.write_bytes(data)
        use(path)

    run()


@LENGTHS
@pytest.mark.parametrize("name", ["added_tokens", "tokenizer_config"])
def test_files_next_to_it_with_any_contents(examples: int, name: str, tmp_path: Path) -> None:
    path = folder(tmp_path)
    token = {"content": "<x>", "special": True, "lstrip": False}
    files: dict[str, dict[str, Any]] = {
        "added_tokens": {"<|user|>": 700, "<|end|>": 701},
        "tokenizer_config": {"eos_token": "</s>", "added_tokens_decoder": {"700": token}},
    }

    @settings(max_examples=examples, deadline=None, database=None)
    @given(changed_json(files[name]))
    def run(value: Any) -> None:
        write_json(tmp_path / f"{name}.json", value)
        use(path)

    run()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        parse_sentencepiece(data)
    except ModelError as error:
        assert error.happened.endswith(".")  # noqa: PT017


def piece(text: str, score: float = 0.0, kind: int = 1) -> bytes:
    message = field(1, text.encode()) + field(2, struct.pack("<f", score), kind=5) + field(3, kind)
    return field(1, message)


UNKNOWN = piece("<unk>", kind=2)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", ModelDamaged, "no tokens"),
        (UNKNOWN + UNKNOWN, ModelDamaged, "same text"),
        (UNKNOWN + piece(""), ModelDamaged, "0 characters"),
        (UNKNOWN + piece("a" * 2000), ModelDamaged, "2,000 characters"),
        (piece("a"), ModelDamaged, "unknown characters"),
        (UNKNOWN + piece("a", float("nan")), ModelDamaged, "NaN or infinite"),
        (UNKNOWN + field(2, field(3, 3)), ModelUnsupported, "words or characters"),
        (UNKNOWN + field(2, field(24, 1)), ModelUnsupported, "unusual way"),
        (UNKNOWN + field(3, field(2, b"\xff" * 9)), ModelDamaged, "replaced characters"),
        (b"IQ== 0\nIg== 1\n", ModelUnsupported, "tiktoken"),
    ],
)
def test_files_that_make_no_sense(
    data: bytes, error: type[ModelError], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(data)
    with pytest.raises(error, match=said):
        Tokenizer.from_sentencepiece(path)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (lambda: piece("a") * 500_000, "more than 500,000 tokens"),
        (lambda: b"".join(piece("a" * count) for count in range(1, 1024)), "too many merges"),
    ],
    ids=["tokens", "merges"],
)
def test_a_file_with_too_large_a_vocabulary_is_refused(
    pieces: Callable[[], bytes], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(UNKNOWN + pieces() + field(2, field(3, 2)))
    with pytest.raises(ModelUnsupported, match=said):
        Tokenizer.from_sentencepiece(path)


def test_a_vocabulary_that_would_take_minutes_is_refused() -> None:
    count = 500_001
    with pytest.raises(ModelUnsupported, match="more than 500,000 tokens"):
        sentencepiece(Vocabulary(["a"] * count, [0.0] * count, [1] * count), Rules())


def test_a_claimed_length_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    with path.open("wb") as file:
        file.truncate(2**36)  # takes no disk space
    with pytest.raises(ModelUnsupported, match="too large"):
        Tokenizer.from_sentencepiece(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match=r"tokenizer\.model"):
        Tokenizer.from_sentencepiece(tmp_path / "tokenizer.model")


# --- the same vocabulary in a GGUF file -----------------------------------------------------------


def gguf_fields(case: str) -> dict[str, Any]:
    """Return the metadata that llama.cpp's converter writes for a `tokenizer.model`."""
    read = parse_sentencepiece((HERE / f"{case}.model").read_bytes())
    words = zip(read.vocabulary.texts, read.vocabulary.kinds, strict=True)
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [
            text.replace("▁", " ") if kind == USER_DEFINED else text for text, kind in words
        ],
        "tokenizer.ggml.scores": list(read.vocabulary.scores),
        "tokenizer.ggml.token_type": list(read.vocabulary.kinds),
        "tokenizer.ggml.bos_token_id": read.start_id,
        "tokenizer.ggml.eos_token_id": read.end_id,
        "tokenizer.ggml.add_space_prefix": read.rules.space_before,
    }


@pytest.mark.parametrize("case", ["llama", "gemma"])
def test_a_gguf_file_with_the_same_vocabulary_gives_the_same_ids(case: str) -> None:
    ours = Tokenizer.from_gguf(gguf_fields(case))
    assert ours.start_ids == tokenizer(case).start_ids
    assert ours.end_ids == tokenizer(case).end_ids
    assert ours.special_ids == tokenizer(case).special_ids
    compared = 0
    for entry in json.loads(FILE.read_text(encoding="utf-8")):
        if not differs(case, entry["text"]):
            assert ours.encode(entry["text"]) == entry[case], entry["text"]
            compared += 1
    assert compared > 230
