"""Test the sentences made of facts and dictionary entries, and what is left out of training."""

from __future__ import annotations

import hashlib
import io
import json
import random
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tools.corpus import factbook, packages, sentences, wordnet
from tools.corpus.__main__ import chat, unseen
from tools.corpus.packages import Package
from tools.corpus.tokenizer import ASSISTANT, TURN_END, USER, train_tokenizer

ENTRY = {
    "Introduction": {
        "Background": {"text": "A kingdom until 1910, when President DE ALMEIDA won."}
    },
    "Geography": {
        "Location": {"text": "Western Europe, west of Spain; islands in the Atlantic"},
        "Elevation extremes": {"highest point": {"text": "Pico (Ponta do Pico) 2,351 m (Azores)"}},
        "Land boundaries": {"border countries": {"text": "Spain 1,224 km"}},
        "Natural resources": {"text": "fish, forests (cork), iron ore"},
    },
    "People and Society": {
        "Languages": {"text": "Portuguese (official), Mirandese (official, but locally used)"},
        "Population": {"text": "10,825,309 (July 2015 est.)"},
        "Major urban areas - population": {
            "text": "LISBON (capital) 2.9 million; Porto 1.3 million"
        },
    },
    "Government": {
        "Country name": {"conventional short form": {"text": "Portugal"}},
        "Capital": {"name": {"text": "Lisbon; note - the seat of government"}},
        "Independence": {"text": "1143 (Kingdom of Portugal recognized)"},
    },
    "Economy": {
        "Exchange rates": {"text": "euros (EUR) per US dollar - ++ 0.75"},
        "Economy - overview": {"text": "Damaged by a stray \ufffd character, and so left out."},
    },
}
DOG = (
    "02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 001 @ 02083346 n 0000 | a member of "
    'the genus Canis (probably descended from the common wolf); "the dog barked all night"  '
)
CANINE = "02083346 05 n 02 canine 0 canid 0 000 | any of various mammals with claws  "
BREATHE = (
    "00001740 29 v 02 breathe 0 take_a_breath 0 000 02 + 02 00 + 08 00 | draw air into, and expel "
    'out of, the lungs; "I can breathe better when the air is clean"; "a breath"  '
)
RUDE = "00000001 18 n 01 lout 0 000 | (slang) offensive term for a person  "


@pytest.fixture
def portugal(tmp_path: Path) -> factbook.Country:
    folder = tmp_path / "package" / "europe"
    folder.mkdir(parents=True)
    (folder / "po.json").write_text(json.dumps(ENTRY), "utf-8")
    (country,) = factbook.countries(tmp_path)
    return country


@pytest.fixture
def meanings(tmp_path: Path) -> dict[str, wordnet.Synset]:
    folder = tmp_path / "usr/share/wordnet"
    folder.mkdir(parents=True)
    (folder / "data.noun").write_text(f"  1 a notice\n{DOG}\n{CANINE}\n{RUDE}\n", "utf-8")
    (folder / "data.verb").write_text(BREATHE + "\n", "utf-8")
    (folder / "data.adj").write_text("", "utf-8")
    (folder / "data.adv").write_text("", "utf-8")
    (folder / "cntlist.rev").write_text("dog%1:05:00:: 1 42\n", "utf-8")
    return wordnet.synsets(tmp_path)


def test_a_country_is_read_without_notes_brackets_and_damaged_fields(
    portugal: factbook.Country,
) -> None:
    assert portugal == replace(
        portugal,
        name="Portugal",
        continent="Europe",
        population=10_825_309,
        capital="Lisbon",
        currency="euros",
        region="Western Europe, west of Spain",
        neighbors=("Spain",),
        languages=("Portuguese", "Mirandese"),
        cities=("Lisbon", "Porto"),
        highest="Pico, at 2,351 meters",
        resources=("fish", "forests", "iron ore"),
        independence="",
        prose=("A kingdom until 1910, when President DE Almeida won.",),
    )


def test_sentences_and_answers_say_what_the_factbook_says(portugal: factbook.Country) -> None:
    known = sentences.values(portugal, random.Random(1))
    assert "independence" not in known
    assert known["population"] == "11 million"
    turns = [
        turn for seed in range(30) for turn in sentences.conversation(portugal, random.Random(seed))
    ]
    assert ("What is the capital of Portugal?", "The capital of Portugal is Lisbon.") in turns
    portraits = {sentences.portrait(portugal, random.Random(seed)) for seed in range(30)}
    assert len(portraits) == 30
    assert any("Lisbon is the capital of Portugal." in text for text in portraits)
    assert any("The highest point in Portugal is Pico, at 2,351 meters." in t for t in portraits)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (["Spain"], "Spain"),
        (["Spain", "France"], "Spain and France"),
        (["Spain", "France", "Italy"], "Spain, France and Italy"),
        ([], ""),
    ],
)
def test_lists_read_as_in_a_sentence(items: list[str], text: str) -> None:
    assert sentences.listed(items) == text


def test_definitions_become_sentences(meanings: dict[str, wordnet.Synset]) -> None:
    texts = [text for _, text in wordnet.entries(meanings)]
    assert texts == [
        "A dog is a member of the genus Canis (probably descended from the common wolf). "
        "A dog is a kind of canine. The dog barked all night.",
        "To breathe is to draw air into, and expel out of, the lungs. "
        "I can breathe better when the air is clean.",
    ]
    dog = meanings["n02084071"]
    assert wordnet.question(dog) == "What is a dog?"
    assert dog.count == 42


def test_words_unfit_for_a_classroom_are_left_out(meanings: dict[str, wordnet.Synset]) -> None:
    assert not any("lout" in synset.words for synset in meanings.values())


def test_the_tokenizer_round_trips_text_and_splits_numbers() -> None:
    tokenizer = train_tokenizer(["the capital of the country is " * 3], 280)
    text = "In 2015: déjà vu, 東京, \x00 \n\t 🙂"
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    digits = [tokenizer.token_to_id(digit) for digit in "2015"]
    assert [id_ for id_ in ids if id_ in digits] == digits
    chat = tokenizer.encode(f"{USER}Hi{TURN_END}{ASSISTANT}")
    assert [chat.tokens.count(mark) for mark in ("<|im_start|>", "<|im_end|>")] == [2, 1]


def test_held_out_texts_are_in_no_training_text() -> None:
    texts = {
        "wordnet": ["A cat is a feline."],
        "chat": [chat([("What is a dog?", "A dog is a canine.")])],
    }
    held_out = ["A dog is a canine. It barked.", "A cat is a feline.", "A rose is a flower."]
    assert unseen(held_out, texts) == ["A rose is a flower."]


def _archive(path: Path) -> str:
    content = b"some text"
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo("package/text.txt")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace a registry's client by one that finds the files already there."""
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 0)
    )


@pytest.mark.usefixtures("no_client")
def test_a_package_is_unpacked_when_its_checksum_is_right(tmp_path: Path) -> None:
    sha256 = _archive(tmp_path / "texts-1.0.tgz")
    folder = packages.obtain(Package("texts", "1.0", "npm", sha256, "", ""), tmp_path)
    assert folder is not None
    assert (folder / "package/text.txt").read_text() == "some text"


@pytest.mark.usefixtures("no_client")
def test_an_altered_package_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _archive(tmp_path / "texts-1.0.tgz")
    assert packages.obtain(Package("texts", "1.0", "npm", "0" * 64, "", ""), tmp_path) is None
    assert "left out: texts has SHA-256" in capsys.readouterr().out
    assert not (tmp_path / "texts").exists()


def test_a_package_that_cannot_be_downloaded_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packages.obtain(Package("texts", "1.0", "npm", "", "", ""), tmp_path) is None
    assert "left out: texts cannot be downloaded" in capsys.readouterr().out


def test_every_package_states_its_terms() -> None:
    assert all(len(package.sha256) == 64 and package.terms for package in packages.ALL)
