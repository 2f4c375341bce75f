"""Test the document in which a text is shared: its schema, and files that are not one."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engine.fake_engine import CARD, VOCABULARY, distribution, split
from tests.sharing.shared_texts import KIND, PROMPT, shared
from tutor.lm.distribution import PLAIN, SamplerSettings, Token
from tutor.lm.saved_steering import Applied
from tutor.lm.token_tree import Step, TokenTree
from tutor.sharing import reading
from tutor.sharing.document import VERSION, SharedIntervention, shared_text
from tutor.sharing.reading import SharedTextError, from_json, read_file

OLD = Path(__file__).parent / "data" / "version-1.json"
"""A file of the first version. Never change it: people have such files."""

token_data = st.one_of(st.binary(max_size=8), st.text(max_size=8).map(str.encode))


def token_of(data: bytes, id_: int = 1, *, special: bool = False) -> Token:
    return Token(id_, data.decode("utf-8", "replace"), data, special)


@given(st.lists(st.tuples(token_data, st.booleans()), min_size=1, max_size=12), st.integers(0, 12))
def test_any_tokens_survive(parts: list[tuple[bytes, bool]], focus: int) -> None:
    tokens = [token_of(data, n, special=special) for n, (data, special) in enumerate(parts)]
    tree = TokenTree.from_prompt(tokens[:1], seed=3).extend(
        [Step(each, "drawn", math.nan) for each in tokens[1:]]
    )
    tree = replace(tree, focus=min(focus, tree.length))
    text = shared_text(tree, CARD, (), mode="chat", sampler=PLAIN)
    again = from_json(text.to_json(), "x")
    assert again == text
    assert again.tree().tokens == tuple(tokens)
    assert again.tree().focus == tree.focus
    assert [step.how for step in again.tree().steps] == [step.how for step in tree.steps]


def test_every_branch_seed_and_setting_survives() -> None:
    tree = TokenTree.from_prompt(split(PROMPT), 5).choose(VOCABULARY[60], "taken", 1.0)
    tree = tree.move(-1).choose(VOCABULARY[61], "drawn", 2.0).reseed(9)
    sampler = SamplerSettings(temperature=0.5, top_k=3, top_p=0.9, min_p=0.1)
    found = [distribution(tree.tokens, sampler, 9, 5)]
    text = shared_text(tree, CARD, found, mode="text", sampler=sampler)
    again = from_json(text.to_json(), "x")
    assert again.sampler == sampler
    assert [branch.seed for branch in again.tree().branches] == [5, 9]
    assert again.tree().number == 2
    assert [row.data for row in again.distributions[0].rows] == [
        row.token.data for row in found[0].rows
    ]
    assert again.model.sha256 == CARD.sha256


def test_a_file_of_the_first_version_opens() -> None:
    text = read_file(OLD)
    assert text.version == 1
    assert text.model.name == "Fake-1K"
    assert b"".join(each.data for each in text.current.tokens) == f"{PROMPT} Paris".encode()
    assert text.current.seed == 7
    assert [each.how for each in text.current.tokens[-2:]] == ["prompt", "chosen"]
    assert text.distributions[0].position == 1
    assert not text.interventions
    assert not text.attributions


def test_what_a_later_version_adds_is_ignored() -> None:
    fields = msgspec.json.decode(OLD.read_bytes())
    fields["new"] = {"x": [1]}
    fields["branches"][0]["tokens"][0]["new"] = 2
    assert from_json(msgspec.json.encode(fields), "x") == read_file(OLD)


def changed(**fields: Any) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(shared()), **fields})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "damaged"),
        (b"\xff\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[1, 2]", "damaged"),
        (b"{}", "not a text that tutor has saved"),
        (b'{"format": "other"}', "not a text that tutor has saved"),
        (changed(version=VERSION + 1), "newer version"),
        (changed(branch=4), "There is no branch 4."),
        (changed(position=99), "after the end"),
        (changed(position=-1), "damaged"),
        (changed(xray={"position": 99, "view": "why"}), "after the end"),
        (changed(xray={"position": 0, "view": "why"}), "damaged"),
        (changed(branches=[]), "damaged"),
        (changed(branches=[{"number": 1, "seed": 1, "tokens": []}]), "damaged"),
        (changed(mode="other"), "damaged"),
        (changed(sampler={"temperature": 1e9}), "temperature"),
        (shared().to_json().replace(b'"bytes": "546865"', b'"bytes": "54686"'), "damaged"),
        (shared().to_json().replace(b'"how": "chosen"', b'"how": "\\u001b[31m"'), "damaged"),
        (shared().to_json()[:-20], "damaged"),
    ],
)
def test_a_damaged_file_is_a_plain_error(data: bytes, said: str) -> None:
    with pytest.raises(SharedTextError) as caught:
        from_json(data, "it.json")
    assert "it.json" in caught.value.happened
    assert said in caught.value.happened
    assert caught.value.happened.isprintable()
    assert caught.value.next_step


def test_a_steering_vector_survives_and_is_checked() -> None:
    steered = replace(shared(), interventions=(SharedIntervention.of_steering(KIND),))
    assert from_json(steered.to_json(), "x").steering == KIND
    other = Applied(replace(KIND.vector, model="0" * 64), 1.0)
    bad = replace(steered, interventions=(SharedIntervention.of_steering(other),))
    with pytest.raises(SharedTextError, match="belongs to another model"):
        from_json(bad.to_json(), "x")
    (intervention,) = msgspec.to_builtins(steered)["interventions"]
    for wrong in (
        {"strength": 1e9},
        {"vector": intervention["vector"] | {"values": "YWJj"}},
        {"vector": intervention["vector"] | {"name": "../x"}},
    ):
        with pytest.raises(SharedTextError, match="is damaged"):
            from_json(changed(interventions=[intervention | wrong]), "x")


def test_an_unknown_intervention_is_kept() -> None:
    text = replace(shared(), interventions=(SharedIntervention(kind="later", head=1),))
    again = from_json(text.to_json(), "x")
    assert again == text
    assert again.steering is None


def test_two_branches_with_one_number_are_refused() -> None:
    (branch,) = msgspec.to_builtins(shared())["branches"]
    with pytest.raises(SharedTextError, match="same number"):
        from_json(changed(branches=[branch, branch]), "x")


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(SharedTextError):
        from_json(data, "x")


def test_what_is_no_file_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SharedTextError, match="cannot be read"):
        read_file(tmp_path / "missing.json")
    with pytest.raises(SharedTextError, match="is not a file"):
        read_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SharedTextError, match="is not a file"):
        read_file(tmp_path / "pipe")
    (tmp_path / "large.json").write_bytes(b" " * 100)
    monkeypatch.setattr(reading, "LARGEST", 99)
    with pytest.raises(SharedTextError, match="larger than"):
        read_file(tmp_path / "large.json")
