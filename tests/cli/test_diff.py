"""Test `tutor diff`: its JSON, its plain output, and wrong usage."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest

from tests.cli.command_line import Tutor


class Model(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    sha256: str
    format: str


class Sampler(msgspec.Struct, forbid_unknown_fields=True):
    temperature: float
    top_k: int
    top_p: float
    min_p: float


class Side(msgspec.Struct, forbid_unknown_fields=True):
    model: Model
    kernel: str
    prompt_ids: list[int]
    sampler: Sampler
    without: list[str]


class Place(msgspec.Struct, forbid_unknown_fields=True):
    a: int
    b: int


class Probability(msgspec.Struct, forbid_unknown_fields=True):
    rank: int
    probability: float
    sampled_probability: float
    logit: float


class Row(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    text: str
    bytes: str
    a: Probability
    b: Probability
    change: float


class Along(msgspec.Struct, forbid_unknown_fields=True):
    place: Place
    kl_bits: float | None


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """The promised output, defined a second time."""

    a: Side
    b: Side
    place: Place
    kl_bits: float | None
    reverse_kl_bits: float | None
    rows: list[Row]
    along: list[Along] | None = None


DiffJson = Callable[..., Report]


@pytest.fixture
def diff(tutor: Tutor, tiny_model: str) -> DiffJson:
    def run(*arguments: str) -> Report:
        outcome = tutor("diff", *arguments, "--model", tiny_model, "--json")
        assert outcome.status == 0, outcome.err
        assert outcome.err == ""
        return msgspec.json.decode(outcome.out, type=Report)

    return run


def test_two_texts(diff: DiffJson) -> None:
    report = diff("hello", "hallo", "--top", "259")
    assert report.place == Place(5, 5)
    assert report.along is None
    assert [abs(row.change) for row in report.rows] == sorted(
        (abs(row.change) for row in report.rows), reverse=True
    )
    bits = math.fsum(
        row.a.probability * math.log2(row.a.probability / row.b.probability) for row in report.rows
    )
    assert report.kl_bits == pytest.approx(bits, rel=1e-3)
    backwards = diff("hallo", "hello")
    assert backwards.kl_bits == report.reverse_kl_bits
    assert backwards.reverse_kl_bits == report.kl_bits


def test_along_the_text(diff: DiffJson) -> None:
    report = diff("hello", "hallo", "--along")
    assert report.along is not None
    assert [each.place for each in report.along] == [Place(n, n) for n in range(1, 6)]
    assert [each.kl_bits == 0 for each in report.along] == [True, False, False, False, False]
    assert report.along[-1].kl_bits == report.kl_bits


def test_texts_of_different_lengths_are_compared_along_their_common_ending(diff: DiffJson) -> None:
    report = diff("hello", "a yellow", "--along")
    assert report.along is not None
    assert report.along == [Along(Place(5, 8), report.kl_bits)]
    report = diff("yellow", "a yellow", "--along")
    assert report.along is not None
    assert [each.place for each in report.along] == [Place(n, n + 2) for n in range(1, 7)]


@pytest.mark.parametrize(
    ("option", "without"),
    [
        (("--b-exact",), []),
        (("--b-temperature", "0.5"), []),
        (("--b-without", "2.1"), ["2.1"]),
        (("--b-without", "1.ff", "--b-without", "2.4"), ["1.ff", "2.4"]),
    ],
)
def test_one_text_with_something_different_in_b(
    diff: DiffJson, option: tuple[str, ...], without: list[str]
) -> None:
    report = diff("hello", *option)
    assert report.a.prompt_ids == report.b.prompt_ids
    assert report.b.without == without
    assert report.a.without == []
    assert report.kl_bits is not None
    if option == ("--b-exact",):
        assert report.b.kernel == "fp32"
        assert report.kl_bits < 1e-3
    else:
        assert report.kl_bits > 1e-6


def test_b_has_the_sampler_settings_of_a_unless_it_has_its_own(diff: DiffJson) -> None:
    report = diff("hello", "hallo", "--temperature", "0.5", "--top-k", "9", "--b-top-k", "3")
    assert report.a.sampler == Sampler(0.5, 9, 1.0, 0.0)
    assert report.b.sampler == Sampler(0.5, 3, 1.0, 0.0)
    assert report.kl_bits is None  # infinite, because B never chooses some tokens of A
    assert report.reverse_kl_bits is not None


def test_plain_output(tutor: Tutor, tiny_model: str, diff: DiffJson) -> None:
    kernel = diff("hello", "hallo").a.kernel
    arguments = ("hello", "hallo", "--b-top-k", "2", "--along", "--model", tiny_model)
    outcome = tutor("diff", *arguments)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[:4] == [
        f"A: tiny ({kernel})",
        "   h e l l o",
        f"B: tiny ({kernel}), top-k 2",
        "   h a l l o",
    ]
    assert lines[5].startswith("After 5 tokens: KL(A‖B) ∞ bits, KL(B‖A) ")
    assert lines[-1].startswith("A and B differ most after token ")
    assert lines[-1].endswith(" Total over the text: ∞ bits.")


def test_a_small_probability_is_not_printed_as_zero(tutor: Tutor, tiny_model: str) -> None:
    outcome = tutor(
        "diff", "hello", "--b-temperature", "0.01", "--top", "259", "--model", tiny_model
    )
    assert "<0.01 %" in outcome.out
    assert " 0.00 %" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("hello",), "A and B are the same."),
        (("hello", "--b-temperature", "1"), "A and B are the same."),
        (("hello", "--b-without", "3.1"), "The model has no part 3.1."),
        (("hello", "--b-without", "1.\u0661"), "is not LAYER.HEAD (such as 15.9) or LAYER.ff"),
        (("hello", "--b-without", "head"), "'head' is not LAYER.HEAD (such as 15.9) or LAYER.ff"),
        (("hello", "--b-without", "0.3"), "'0.3' is not LAYER.HEAD (such as 15.9) or LAYER.ff"),
        (("hello", "--b-without", "3.0"), "'3.0' is not LAYER.HEAD (such as 15.9) or LAYER.ff"),
        (("hello", "--b-model", "openai:gpt"), "A remote model returns only a few tokens"),
        (("hello", "--b-greedy", "--b-temperature", "2"), "--b-greedy and --b-temperature cannot"),
    ],
)
def test_wrong_usage(
    tutor: Tutor, tiny_model: str, arguments: tuple[str, ...], message: str
) -> None:
    outcome = tutor("diff", *arguments, "--model", tiny_model)
    assert outcome.status == 2
    assert outcome.out == ""
    assert message in outcome.err
