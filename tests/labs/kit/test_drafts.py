"""Test that unfinished texts are saved with a lab's work, and that no file breaks them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tutor.app.widgets import prompt_editor
from tutor.labs.kit import registry, remote
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.drafts import KEY, LONGEST, Drafts, added, are_saved, joined, move, restored
from tutor.labs.kit.work import LARGEST
from tutor.labs.probe.lab import Control, Trained
from tutor.labs.probe.lab import Sentence as ProbeSentence

DRAFTS: Drafts = {"Text:": ("an earlier one", "Once upon\n\ta time 👩‍🚀"), "Word:": ("",)}


def file(drafts: Any, **fields: Any) -> bytes:
    return msgspec.json.encode({KEY: drafts, **fields})


def test_drafts_are_restored_and_do_not_change_the_work() -> None:
    lab = registry.find("tokens")
    state = lab.act(lab.start(), EditText("a text"))
    saved = lab.saved(state, "model", DRAFTS)
    assert restored(saved) == DRAFTS
    assert lab.resumed(saved) == (lab.restored(lab.saved(state)), None)
    without = msgspec.json.decode(saved)
    del without[KEY]
    assert without == msgspec.json.decode(lab.saved(state))  # All that an earlier version knows.


def test_a_lab_without_work_saves_its_drafts() -> None:
    lab = registry.find("tokens")
    saved = lab.saved(lab.start(), drafts=DRAFTS)
    assert restored(saved) == DRAFTS
    assert lab.restored(saved) == lab.start()
    assert lab.saved(lab.start(), drafts={}) == b""


def test_a_file_of_an_earlier_version_has_no_drafts() -> None:
    assert restored(b"") == restored(b'{"text":"Once upon a time"}') == {}


def test_results_are_restored_beside_a_draft() -> None:
    lab = registry.find("probe")
    trained = Trained(
        count=3,
        fitted=(2, 3),
        held_out=(ProbeSentence("Good", True), ProbeSentence("Bad", False)),
        probabilities=((0.5, 0.25), (0.75, 0.25)),
    )
    new = {"trained": trained, "control": Control((1, 2)), "layers": 2, "layer": 1, "row": 0}
    state = msgspec.structs.replace(lab.start(), **new)
    saved = lab.saved(state, "model", DRAFTS)
    assert restored(saved) == DRAFTS
    resumed, model = lab.resumed(saved)
    assert model == "model"
    assert resumed.trained == trained
    assert lab.saved(resumed, model, restored(saved)) == saved


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b"\xff", b"[" * 100_000),
        *map(file, ([], None, 1, "Text:", {"Text:": "x"}, {"Text:": []}, {"Text:": None})),
        *map(file, ({"Text:": [1]}, {"Text:": ["x", {}]}, {"Text:": {"x": 1}}, {"": {}})),
        file({"Text:": ["x" * (LONGEST + 1)]}),
        file({"x" * 1_001: ["x"]}),
        file({"Text:": ["x"]}, other="x" * LARGEST),
        b'{"' + KEY.encode() + b'":' + b"[" * 100_000,
    ],
)
def test_invalid_drafts_are_ignored(data: bytes) -> None:
    assert restored(data) == {}


def test_an_invalid_draft_does_not_spoil_the_others_or_the_work() -> None:
    lab = registry.find("tokens")
    data = file({"a": [1], "b": ["x" * (LONGEST + 1), "kept"], "c": []}, text="mine")
    assert restored(data) == {"b": ("kept",)}
    assert lab.restored(data).text == "mine"


def test_a_restored_draft_has_no_control_characters_and_fits_the_field() -> None:
    ((text,),) = restored(file({"Text:": ["a\x1b[31m\u202e\r"]})).values()
    assert not {"\x1b", "\u202e", "\r"} & set(text)
    longer_when_visible = "\u202e" * LONGEST
    assert restored(file({"Text:": [longer_when_visible]})) == {}
    assert LONGEST == prompt_editor.LONGEST


def test_the_number_of_drafts_is_limited_and_the_newest_are_saved() -> None:
    many = tuple(map(str, range(1_000)))
    assert restored(file({"Text:": many})) == {"Text:": many[-100:]}
    assert restored(added(b"", {"Text:": many})) == {"Text:": many[-100:]}
    assert len(restored(file({each: ["x"] for each in many}))) == 100
    assert list(restored(added(b"", dict.fromkeys(many, ("x",))))) == list(many[-100:])


@pytest.mark.slow
def test_no_number_of_drafts_takes_the_place_of_the_work_or_of_the_results() -> None:
    lab = registry.find("probe")
    state = msgspec.structs.replace(lab.start(), control=Control((1, 2)), seed=7)
    drafts: Drafts = {f"{each}": ("x" * LONGEST,) for each in range(80)}
    saved = lab.saved(state, "model", drafts)
    assert len(saved) <= LARGEST
    assert msgspec.json.decode(saved)["seed"] == 7
    assert lab.saved(state, "model") == lab.saved(state, "model", {}) != lab.saved(state)
    assert set(msgspec.json.decode(lab.saved(state, "model"))) < set(msgspec.json.decode(saved))
    kept = restored(saved)
    assert kept
    assert kept.items() < drafts.items()
    assert list(kept) == sorted(list(drafts)[-len(kept) :])  # the newest ones
    assert not are_saved(drafts, saved)
    assert are_saved(kept | {remote.NAME: ("never saved",)}, saved)


def test_work_is_saved_beside_any_drafts_and_the_shown_texts_come_first() -> None:
    work = file([], text="x" * (LARGEST - 100_000)).replace(KEY.encode(), b"other")
    most = tuple(str(each) * 20_000 for each in range(5))
    drafts: Drafts = {"a": (*most, "shown"), "b": ("\n" * LONGEST, "also shown")}
    saved = added(work, drafts)
    assert len(saved) <= LARGEST
    assert restored(saved) == {"a": (most[4], "shown"), "b": drafts["b"]}
    assert added(b'{"text":"' + b"x" * LARGEST + b'"}', drafts).count(b"shown") == 0


@pytest.mark.parametrize("text", ["x", "€", "👩‍🚀", '"', "\n", "\\"])
def test_the_limit_is_exact_enough_for_every_text(text: str) -> None:
    drafts: Drafts = {f"{text}{each}": (text * 7_000,) * 3 for each in range(60)}
    assert LARGEST // 2 - 200_000 < len(added(b"", drafts)) <= LARGEST // 2


def test_drafts_move_from_the_label_to_the_name() -> None:
    drafts: Drafts = {"Text:": ("one",), "text": ("two",), "Word:": ("three",)}
    move(drafts, "Text:", "text")
    assert drafts == {"text": ("one", "two"), "Word:": ("three",)}
    move(drafts, "word", "word")
    assert drafts == {"text": ("one", "two"), "Word:": ("three",)}


def test_the_name_of_a_remote_model_is_not_saved() -> None:
    """The address of a server can contain a password."""
    written = "openai:NAME https://me:secret@example.org/v1"
    assert added(b"", {remote.NAME: (written,)}) == b""
    assert restored(file({remote.NAME: [written]})) == {}


def test_an_older_text_does_not_take_the_place_of_one_that_does_not_fit() -> None:
    work = b'{"w":"' + b"z" * (LARGEST - 20_000) + b'"}'
    assert restored(added(work, {"a": ("old", "x" * 31_000)})) == {}


def test_the_newest_draft_counts_as_the_newest_if_its_field_had_an_earlier_one() -> None:
    drafts = {f"field {number}": ("€" * 32_000,) for number in range(20)}
    newest = "newest " + "€" * 31_000
    saved = restored(added(b"", joined({"a": ("old",)}, {**drafts, "a": (newest,)})))
    assert saved["a"][-1] == newest
