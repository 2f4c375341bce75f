"""Test `tutor why`: its JSON, its plain output, and wrong usage."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tests.cli.command_line import Tutor


class Model(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    sha256: str
    format: str


class Token(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    text: str
    bytes: str


class Occlusion(msgspec.Struct, forbid_unknown_fields=True):
    index: int
    token: Token
    logits: float
    probability: float


class Sources(msgspec.Struct, forbid_unknown_fields=True):
    layer: int
    head: int
    logits: list[float]


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """The promised output, defined a second time."""

    model: Model
    prompt_ids: list[int]
    target: Token
    against: Token | None
    logit: float
    embedding: float
    heads: list[list[float]]
    feed_forward: list[float]
    occlusion: list[Occlusion]
    sources: Sources | None


WhyJson = Callable[..., Report]


@pytest.fixture
def why(tutor: Tutor, tiny_model: str) -> WhyJson:
    def run(*arguments: str) -> Report:
        outcome = tutor("why", *arguments, "--model", tiny_model, "--json")
        assert outcome.status == 0, outcome.err
        assert outcome.err == ""
        return msgspec.json.decode(outcome.out, type=Report)

    return run


def test_the_most_probable_token_is_explained(why: WhyJson) -> None:
    report = why("hello")
    assert report.against is None
    assert [len(heads) for heads in report.heads] == [4, 4]
    total = report.embedding + sum(map(sum, report.heads)) + sum(report.feed_forward)
    assert total == pytest.approx(report.logit, abs=0.02)
    assert [each.token.text for each in report.occlusion] == list("hell")


def test_a_token_can_be_compared_with_another(why: WhyJson) -> None:
    x, y = why("hello", "--token", "x"), why("hello", "--token", "y")
    both = why("hello", "--token", "x", "--rather-than", "y")
    assert both.target == x.target
    assert both.against == y.target
    assert both.logit == pytest.approx(x.logit - y.logit, abs=0.02)


def test_a_space_can_be_written_as_it_is_shown(why: WhyJson) -> None:
    assert why("hello", "--token", "␣").target.text == " "


def test_a_text_of_one_token_has_no_occlusion(why: WhyJson) -> None:
    assert why("h").occlusion == []


def test_a_head_is_split_by_the_tokens_it_attends_to(why: WhyJson) -> None:
    report = why("hello", "--token", "x", "--head", "2.3")
    assert report.sources is not None
    assert (report.sources.layer, report.sources.head) == (2, 3)
    assert len(report.sources.logits) == len(report.prompt_ids)
    assert sum(report.sources.logits) == pytest.approx(report.heads[1][2], abs=0.02)
    assert why("hello").sources is None


def test_plain_output_of_a_head(tutor: Tutor, tiny_model: str) -> None:
    outcome = tutor("why", "hello", "--head", "2.3", "--top", "1", "--model", tiny_model)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    at = next(n for n, line in enumerate(lines) if "of layer 2, head 3 comes from" in line)
    assert [line.split()[-1] for line in lines[at + 1 : at + 6]] == list("hello")


def test_plain_output(tutor: Tutor, tiny_model: str) -> None:
    arguments = ("hello", "--token", "x", "--rather-than", "y", "--top", "3")
    outcome = tutor("why", *arguments, "--model", tiny_model)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[1] == "h e l l o"
    assert lines[3].startswith("The logit of x is ")
    assert lines[3].endswith(" above the logit of y.")
    assert lines[8].endswith("  8 other parts")
    assert [line.split()[-1] for line in lines[-4:]] == list("hell")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--token", "xy"), "--token needs one token, but 'xy' has 2: x y"),
        (("--rather-than", ""), "--rather-than needs one token, but '' has 0"),
        (("--token", "x", "--rather-than", "x"), "The token to explain and the token after"),
        (("--head", "3.1"), "There is no layer 3, head 1."),
        (("--head", "1.5"), "There is no layer 1, head 5."),
        (("--head", "0.1"), "'0.1' is not LAYER.HEAD, such as 24.5, counted from 1"),
        (("--head", "1.0"), "'1.0' is not LAYER.HEAD, such as"),
        (("--head", "1.ff"), "'1.ff' is not LAYER.HEAD, such as"),
        (("--head", "1"), "'1' is not LAYER.HEAD, such as"),
        (("--model", "openai:gpt"), "A remote model does not expose its internals."),
    ],
)
def test_wrong_usage(
    tutor: Tutor, tiny_model: str, arguments: tuple[str, ...], message: str
) -> None:
    model = () if "--model" in arguments else ("--model", tiny_model)
    outcome = tutor("why", "hello", *arguments, *model)
    assert outcome.status == 2
    assert outcome.out == ""
    assert message in outcome.err
