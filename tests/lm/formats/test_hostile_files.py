"""Test malicious model files: only a `TutorError` may come of them.

Whatever they contain, the time and memory that they take must be in proportion to their size. The
fuzz tests come in two lengths: a short one for every run, and a long one before a release.
"""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from tests.hostile_files import changed_json, changes, gguf_header, gguf_text, write_json
from tests.lm.architectures.folders import references, write_folder
from tests.lm.architectures.gguf_files import write_gguf as architecture_gguf
from tests.tiny_gguf import write_gguf
from tests.tiny_model import write_tiny_folder
from tutor.errors import ModelDamaged, ModelError, ModelUnsupported, TutorError
from tutor.lm import chat_template
from tutor.lm.architectures import FAMILIES
from tutor.lm.architectures.rope import RopeSettings, scaling
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.formats.gguf_file import GgufFile
from tutor.lm.load import load_model
from tutor.lm.tokenizer import Tokenizer
from tutor.models import FoundModel

HEADER = 6000
"""The bytes at the beginning of a tiny file that contain few or no weights."""

lengths = pytest.mark.parametrize(
    "examples",
    [30, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])],
    ids=["short", "long"],
)


def fuzz(examples: int, strategy: st.SearchStrategy[Any], attempt: Callable[[Any], None]) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(value: Any) -> None:
        attempt(value)

    run()


def use(path: Path, kind: Literal["gguf", "folder"]) -> None:
    """Load the model, and use each part of it briefly."""
    try:
        model = load_model(FoundModel("it", kind, path), exact=True)
        tokenizer = model.tokenizer
        ids = [*tokenizer.start_ids, *tokenizer.encode("hello <|im_end|> wörld")]
        tokenizer.tokens(range(min(tokenizer.vocabulary_size + 2, 400)))
        tokenizer.containing("a")
        with torch.inference_mode():
            model.network(torch.tensor(ids[:3] or [0]))
        if model.chat_template:
            chat_ids(model, [ChatMessage("user", "hello")])
    except TutorError as error:
        told = str(error)
    else:
        told = ""
    assert len(told) < 2000


def all_of(changed: list[Callable[[bytes], bytes]], data: bytes) -> bytes:
    for change in changed:
        data = change(data)
    return data


@lengths
def test_gguf_files_with_changes_anywhere(examples: int, tmp_path: Path) -> None:
    path = tmp_path / "it.gguf"
    write_gguf(path, "Q4_0")
    sound = path.read_bytes()

    def attempt(changed: list[Callable[[bytes], bytes]]) -> None:
        path.unlink()
        path.write_bytes(all_of(changed, sound))
        use(path, "gguf")

    fuzz(examples, st.lists(changes(HEADER), min_size=1, max_size=3), attempt)


@lengths
def test_safetensors_with_changes_anywhere(examples: int, tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    path = folder / "model.safetensors"
    sound = path.read_bytes()

    def attempt(changed: list[Callable[[bytes], bytes]]) -> None:
        path.unlink()  # the previous example's network may have it mapped
        path.write_bytes(all_of(changed, sound))
        use(folder, "folder")

    fuzz(examples, st.lists(changes(HEADER // 2), min_size=1, max_size=3), attempt)


@lengths
@pytest.mark.parametrize(
    "name",
    ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"],
)
def test_json_files_with_any_contents(examples: int, name: str, tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    path = folder / name
    index = {"metadata": {}, "weight_map": dict.fromkeys(_NAMES, "model.safetensors")}
    sound = json.loads(path.read_bytes()) if path.exists() else index

    def attempt(value: Any) -> None:
        write_json(path, value)
        use(folder, "folder")

    fuzz(examples, changed_json(sound), attempt)


_NAMES = ["model.embed_tokens.weight", "model.norm.weight"]


@lengths
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_json_files_with_changed_bytes(examples: int, name: str, tmp_path: Path) -> None:
    """A download can damage any byte, so a file may be neither UTF-8 nor JSON any longer."""
    folder = write_tiny_folder(tmp_path / "it")
    path = folder / name
    sound = path.read_bytes()

    def attempt(changed: list[Callable[[bytes], bytes]]) -> None:
        path.write_bytes(all_of(changed, sound))
        use(folder, "folder")

    fuzz(examples, st.lists(changes(len(sound)), min_size=1, max_size=3), attempt)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_a_file_that_is_not_utf_8_is_named(name: str, tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    path = folder / name
    path.write_bytes(path.read_bytes()[:20] + b"\xff" + path.read_bytes()[21:])
    with pytest.raises(ModelDamaged) as caught:
        load_model(FoundModel("it", "folder", folder))
    assert f"{name} is damaged: byte 20 " in caught.value.happened
    assert "Download this file again" in caught.value.next_step


@lengths
def test_metadata_of_any_type(examples: int, tmp_path: Path) -> None:
    """A valid header whose values have another type or are out of range."""
    path = tmp_path / "it.gguf"
    write_gguf(path, "Q4_0")
    sound = path.read_bytes()
    keys = [key for key in GgufFile(path)._fields if key.startswith(("llama.", "tokenizer."))]

    def attempt(change: tuple[str, bytes]) -> None:
        key, value = change
        name = gguf_text(key)
        at = sound.index(name) + len(name)
        changed = sound[:at] + value + sound[at + 4 + 4 :]  # replaces a number of four bytes
        path.unlink()
        path.write_bytes(changed)
        use(path, "gguf")

    numbers = [
        struct.pack("<I", 4) + struct.pack("<I", number) for number in (0, 1, 7, 2**31, 2**32 - 1)
    ]
    floats = [
        struct.pack("<I", 6) + struct.pack("<f", number)
        for number in (0.0, -1.0, float("nan"), float("inf"))
    ]
    others = [
        struct.pack("<I", 8) + gguf_text("text"),
        struct.pack("<I", 7) + b"\1",
        struct.pack("<IIQI", 9, 4, 1, 5),
        struct.pack("<IIQ", 9, 8, 0),
        struct.pack("<IQ", 10, 2**64 - 1),
        struct.pack("<Iq", 11, -(2**63)),
    ]
    values = st.sampled_from([*numbers, *floats, *others])
    fuzz(examples, st.tuples(st.sampled_from(keys), values), attempt)


# --- invalid headers ------------------------------------------------------------------------------

HUGE = 2**60
ONE = struct.pack("<II", 4, 1)


def tensor(name: str = "t", shape: tuple[int, ...] = (32,), kind: int = 0, at: int = 0) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return gguf_text(name) + dimensions + struct.pack("<IQ", kind, at)


def field(form: str, *values: Any) -> bytes:
    """Return a file with the one field `a.b`."""
    return gguf_header(("a.b", struct.pack(form, *values)))


def one(name: str, **about: Any) -> bytes:
    """Return a file with one tensor."""
    return gguf_header(tensors=tensor(name, **about) + bytes(999), count=1)


ABSURD: dict[str, tuple[bytes, str]] = {
    "too many tensors": (struct.pack("<4sIQQ", b"GGUF", 3, HUGE, 0), "number of tensors"),
    "too many fields": (struct.pack("<4sIQQ", b"GGUF", 3, 0, HUGE), "number of fields"),
    "too many items": (
        gguf_header(("a.b", struct.pack("<IIQ", 9, 0, HUGE))),
        "items of the field a.b",
    ),
    "too many texts": (
        gguf_header(("a.b", struct.pack("<IIQ", 9, 8, HUGE))),
        "items of the field a.b",
    ),
    "too long a text": (
        gguf_header(("a.b", struct.pack("<IQ", 8, HUGE))),
        "length of the field a.b",
    ),
    "too long an item": (
        field("<IIQQ", 9, 8, 1, HUGE),
        "length of an item of the field a.b",
    ),
    "too long a name": (
        struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, HUGE) + bytes(100),
        "length of the name of field 1",
    ),
    "lists in lists": (
        gguf_header(("a.b", struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000)),
        "the field a.b has items of the unknown type 9",
    ),
    "no such type": (
        gguf_header(("a.b", struct.pack("<I", 77))),
        "the field a.b has the unknown type",
    ),
    "one field twice": (gguf_header(("a.b", ONE), ("a.b", ONE)), "two fields named a.b"),
    "an odd alignment": (
        gguf_header(("general.alignment", struct.pack("<II", 4, 3))),
        "general.alignment",
    ),
    "too many dimensions": (
        gguf_header(tensors=gguf_text("w") + struct.pack("<I", 2**32 - 1) + bytes(99), count=1),
        "the tensor w has 4,294,967,295 dimensions",
    ),
    "too large a shape": (one("w", shape=(HUGE, HUGE)), "the tensor w ("),
    "a shape whose size wraps": (
        one("w", shape=(2**32, 2**32, 2)),
        "the tensor w (4,294,967,296 x",
    ),
    "an empty shape": (
        gguf_header(tensors=tensor("w", (32, 0)), count=1),
        "the tensor w cannot have the shape",
    ),
    "half a block": (one("w", shape=(33,), kind=2), "the tensor w cannot have the shape"),
    "too far a position": (
        gguf_header(tensors=tensor("w", at=HUGE) + bytes(999), count=1),
        "the tensor w",
    ),
    "no such kind": (one("w", kind=999), "the tensor w has the unknown type"),
    "one tensor twice": (
        gguf_header(tensors=tensor("w") * 2 + bytes(999), count=2),
        "two tensors named w",
    ),
    "a name with control characters": (
        gguf_header(("\x1b]0;a\x07", struct.pack("<I", 77))),
        "the field ␛]0;a␇ has the unknown type 77",
    ),
}


@pytest.mark.parametrize("name", ABSURD)
def test_an_invalid_header_is_refused_and_the_field_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / "it.gguf"
    data, words = ABSURD[name]
    path.write_bytes(data)
    with pytest.raises(ModelDamaged) as caught:
        GgufFile(path)
    assert words in caught.value.happened


def test_a_newer_number_format_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "it.gguf"
    path.write_bytes(one("w", kind=200))
    with pytest.raises(ModelUnsupported) as caught:
        GgufFile(path)
    assert "number format 200" in caught.value.happened
    assert "Update" in caught.value.next_step


LIMITED = """
import resource, sys
from pathlib import Path
from tutor.errors import ModelDamaged
from tutor.lm.formats.gguf_file import GgufFile
from tutor.lm.formats.hugging_face import HuggingFaceFolder
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 16_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in map(Path, sys.argv[1:]):
    try:
        HuggingFaceFolder(path) if path.is_dir() else GgufFile(path)
    except ModelDamaged as error:
        print(path.name)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a memory limit")
def test_invalid_headers_take_no_memory(tmp_path: Path) -> None:
    """All of them can be read in a process that may allocate only 16 MB more."""
    paths = []
    for number, (data, _) in enumerate(ABSURD.values()):
        paths.append(tmp_path / f"{number}.gguf")
        paths[-1].write_bytes(data)
    for number, length in enumerate([2**20, 2**40, 2**63, 2**64 - 1]):
        folder = write_tiny_folder(tmp_path / f"folder-{number}")
        file = folder / "model.safetensors"
        file.write_bytes(struct.pack("<Q", length) + file.read_bytes()[8:])
        paths.append(folder)
    command = [sys.executable, "-c", LIMITED, *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.split() == [path.name for path in paths]


def test_an_unused_field_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "it.gguf"
    size = 20_000_000
    path.write_bytes(gguf_header(("a", struct.pack("<IIQ", 9, 0, size) + bytes(size))))
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            GgufFile(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 10


@pytest.mark.parametrize("key", ["head_dim", "rope_scaling"])
def test_a_huge_table_is_not_allocated(key: str, tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    config = json.loads((folder / "config.json").read_bytes())
    kinds: dict[str, Any] = {"rope_type": "linear" if key == "head_dim" else "llama3", "factor": 2}
    write_json(folder / "config.json", config | {"head_dim": HUGE, "rope_scaling": kinds})
    with pytest.raises(ModelDamaged, match="head size"):
        load_model(FoundModel("it", "folder", folder))


@pytest.mark.parametrize(
    ("case", "setting", "value"),
    [
        ("llama", "num_hidden_layers", 2**31),
        pytest.param("llama", "vocab_size", 10**400, id="vocab_size of 401 digits"),
        ("gemma", "hidden_size", -1),
        ("gemma3", "num_hidden_layers", 2**31),
        ("mixtral", "mlp_bias", True),
        ("llama with llama3 rope", "partial_rotary_factor", 2**31),
        pytest.param(
            *("llama with llama3 rope", "original_max_position_embeddings", 10**400),
            id="original_max_position_embeddings of 401 digits",
        ),
        ("llama with yarn rope", "beta_fast", 5e-324),
    ],
)
def test_an_impossible_setting_is_refused_at_once(
    case: str, setting: str, value: float, tmp_path: Path
) -> None:
    """Some of them would have kept the loader busy until the memory was used up."""
    config = references()[case]["config"]
    rope = config.get("rope_parameters", {})
    inside = {"rope_parameters": rope | {setting: value}} if "rope" in case else {setting: value}
    folder = write_folder(tmp_path / "it", case, **inside)
    with pytest.raises(ModelError):
        load_model(FoundModel("it", "folder", folder), exact=True)


@pytest.mark.parametrize(
    ("case", "setting", "value"),
    [
        ("llama", "block_count", 2**31),
        ("gemma3", "block_count", 2**31),
        ("llama with biases", "expert_count", 7),
        ("llama with yarn rope", "rope.scaling.yarn_beta_fast", math.nan),
    ],
)
def test_impossible_metadata_are_refused_at_once(
    case: str, setting: str, value: float, tmp_path: Path
) -> None:
    path = architecture_gguf(tmp_path / "it.gguf", case, {setting: value})
    with pytest.raises(ModelError):
        load_model(FoundModel("it", "gguf", path), exact=True)


def test_an_impossible_rope_scaling_is_damage() -> None:
    heads = {"rotated": 128, "context": 2048}
    tiny = RopeSettings(rope_type="llama3", factor=8.0)
    without_growth = RopeSettings(rope_type="yarn", factor=math.e, mscale=1.0, mscale_all_dim=-10.0)
    for rope, base in ((tiny, 5e-324), (without_growth, 10_000.0)):
        with pytest.raises(ModelDamaged, match="contradict"):
            scaling(rope, base, **heads)


_IMPOSSIBLE = [0, 1, -1, 7, 2**31, 2**63 - 1, 10**400, 5e-324, -0.5, 1.5, 1e300]


@lengths
def test_settings_of_all_families_with_impossible_numbers(examples: int, tmp_path: Path) -> None:
    def attempt(change: tuple[str, str, float, bool]) -> None:
        case, setting, value, in_rope = change
        rope = references()[case]["config"].get("rope_parameters") or {}
        changed = {"rope_parameters": rope | {setting: value}} if in_rope else {setting: value}
        folder = write_folder(tmp_path / "it", case, **changed)
        use(folder, "folder")

    def settings_of(case: str) -> st.SearchStrategy[tuple[str, str, float, bool]]:
        config = references()[case]["config"]
        family = FAMILIES[config["architectures"][0]].settings
        names = sorted({each.encode_name for each in msgspec.structs.fields(family)})
        in_rope = [each.name for each in msgspec.structs.fields(RopeSettings)]
        values = st.sampled_from(_IMPOSSIBLE)
        return st.tuples(st.just(case), st.sampled_from(names), values, st.just(False)) | st.tuples(
            st.just(case), st.sampled_from(in_rope), values, st.just(True)
        )

    fuzz(examples, st.sampled_from(sorted(references())).flatmap(settings_of), attempt)


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (300,), (1, 300, 32)])
def test_an_embedding_table_that_is_not_a_matrix(shape: tuple[int, ...], tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    (folder / "model.safetensors").unlink()
    save_file({"model.embed_tokens.weight": torch.zeros(shape)}, folder / "model.safetensors")
    with pytest.raises(ModelDamaged):
        load_model(FoundModel("it", "folder", folder))


@pytest.mark.parametrize("outside", ["../secret.safetensors", "{}/secret.safetensors", "a/../.."])
def test_an_index_cannot_refer_to_files_outside_its_folder(outside: str, tmp_path: Path) -> None:
    folder = write_tiny_folder(tmp_path / "it")
    secret = tmp_path / "secret.safetensors"
    (folder / "model.safetensors").rename(secret)
    place = outside.format(tmp_path)
    index = {"weight_map": {"model.embed_tokens.weight": place}}
    write_json(folder / "model.safetensors.index.json", index)
    with pytest.raises(ModelDamaged, match=r"is missing|is incomplete"):
        load_model(FoundModel("it", "folder", folder))


@pytest.mark.parametrize("length", [10**12, 2**62])
def test_a_tokenizer_with_huge_padding(length: int, tmp_path: Path) -> None:
    """If the library applied the padding, it would crash the process."""
    folder = write_tiny_folder(tmp_path / "it")
    path = folder / "tokenizer.json"
    padding = {
        "strategy": {"Fixed": length},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "x",
    }
    write_json(path, json.loads(path.read_bytes()) | {"padding": padding})
    assert len(Tokenizer.from_file(path).encode("hi")) == 2


def test_a_tokenizer_with_a_huge_id(tmp_path: Path) -> None:
    """Without a limit, the library would be busy for hours when it saves this tokenizer."""
    path = write_tiny_folder(tmp_path / "it") / "tokenizer.json"
    value = json.loads(path.read_bytes())
    value["model"]["vocab"]["he"] = 2**32 - 1
    write_json(path, value)
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json"):
        Tokenizer.from_file(path)


# --- chat templates -------------------------------------------------------------------------------

GROW = "{%% set n = namespace(x=%s) %%}{%% for i in range(99) %%}{%% set n.x = %s %%}{%% endfor %%}"
BOMBS = {
    "{{ 'a' * 10**10 }}": "string that is too long",
    "{{ (-10**10 * ['a'] * -1)|length * 'a' }}": "string that is too long",
    "{{ range(10**12)|list }}": "range",
    "{{ 'a'|center(10**9) }}": "center",
    "{{ [[1]]|sum(start=[]) }}": "sum",
    "{{ lipsum(10**9) }}": "lipsum",
    GROW % ("10", "n.x ** 60"): "number that is too large",
    GROW % ("10", "n.x * n.x"): "number that is too large",
    "{{ " + "(" * 50_000: "RecursionError",
    "{% if 1 %}" * 5000: "RecursionError",
    "a" * 2_000_000: "more than 1,000,000 characters",
    "{{ cycler.__init__.__globals__ }}": "unsafe",
    "{{ ''|attr('__class__') }}": "attr",
    "{% include '/etc/passwd' %}": "loader",
    "{{ raise_exception('\x1b]52;c;x\x07' * 999) }}": "␛]52;c;x␇",
}
TAKE_MEMORY = [
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a'.ljust(10**10) }}",
    "{{ 'a'|indent(10**9) }}",
    "{{ {'a': 1}|tojson(indent=10**9) }}",
    "{{ messages|batch(10**9, 1)|list }}",
    GROW % ("'ab'", "n.x ~ n.x"),
    GROW % ("[1, 2]", "n.x + n.x"),
    GROW % ("'ab'", "n.x.replace('a', n.x)"),
]


def rendered(template: str) -> str:
    messages = [{"role": "user", "content": "hello"}]
    return chat_template.render(template, messages, begin="", end="", generate=True)


@pytest.mark.parametrize("template", BOMBS, ids=range(len(BOMBS)))
def test_a_template_that_asks_for_too_much_is_refused(template: str) -> None:
    with pytest.raises(ModelError) as caught:
        rendered(template)
    assert BOMBS[template] in caught.value.happened
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a memory limit")
@pytest.mark.parametrize("template", TAKE_MEMORY, ids=range(len(TAKE_MEMORY)))
def test_a_template_gets_limited_memory(template: str) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(ModelError, match="too much memory"):
        rendered(template)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert rendered("{{ 'a' * 1000 }}") == "a" * 1000


def test_a_template_may_not_add_a_text_that_the_tokenizer_could_not_split() -> None:
    messages = [{"role": "user", "content": "x" * 700_000}]
    said = "{{ messages[0].content }}"

    def rendered_with(added: str) -> str:
        return chat_template.render(said + added, messages, begin="", end="", generate=True)

    assert len(rendered_with("{{ 'a b ' * 100000 }}")) == 1_100_000
    with pytest.raises(ModelError, match="adds more than 500,000 characters"):
        rendered_with("{{ 'a b ' * 200000 }}")


def test_ordinary_numbers_and_texts_in_templates() -> None:
    assert rendered("{{ 3000 * 4000 }} {{ 2 ** 10 }} {{ '-' * 3 }} {{ 1.5 * 2 }}") == (
        "12000000 1024 --- 3.0"
    )
