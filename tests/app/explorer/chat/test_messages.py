"""Test that the messages of a conversation are found in every common chat template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fake_engine import VOCABULARY
from tutor.app.explorer.chat.loops import LENGTH, TIMES, repeats_itself
from tutor.app.explorer.chat.messages import (
    last_message,
    messages,
    shown_positions,
    was_cut_off,
    with_own_answers,
)
from tutor.lm.distribution import Token
from tutor.lm.token_tree import How, Step, TokenTree


def steps(text: str, how: How = "prompt") -> list[Step]:
    """Return a step for each part of `text` between bars. Special tokens begin with `<` or `[`."""
    return [
        Step(Token(id_, part, part.encode(), special=part[:1] in {"<", "["}), how)
        for id_, part in enumerate(text.split("¦"))
    ]


TEMPLATES = {
    "ChatML": (
        "<|im_start|>¦system¦\n¦Be kind.¦<|im_end|>¦\n¦<|im_start|>¦user¦\n¦Hi¦ there¦<|im_end|>¦\n"
        "¦<|im_start|>¦assistant¦\n",
        "Yes¦.¦<|im_end|>",
        "\n¦<|im_start|>¦user¦\n¦user¦\n¦Why¦<|im_end|>¦\n¦<|im_start|>¦assistant¦\n",
    ),
    "Llama 3": (
        "<|begin_of_text|>¦<|start_header_id|>¦system¦<|end_header_id|>¦\n\n¦Be kind.¦<|eot_id|>¦"
        "<|start_header_id|>¦user¦<|end_header_id|>¦\n\n¦Hi¦ there¦<|eot_id|>¦"
        "<|start_header_id|>¦assistant¦<|end_header_id|>¦\n\n",
        "Yes¦.¦<|eot_id|>",
        "<|start_header_id|>¦user¦<|end_header_id|>¦\n\n¦user¦\n¦Why¦<|eot_id|>¦"
        "<|start_header_id|>¦assistant¦<|end_header_id|>¦\n\n",
    ),
    "Phi": (
        "<|system|>¦\n¦Be kind.¦<|end|>¦\n¦<|user|>¦\n¦Hi¦ there¦<|end|>¦\n¦<|assistant|>¦\n",
        "Yes¦.¦<|end|>",
        "\n¦<|user|>¦\n¦user¦\n¦Why¦<|end|>¦\n¦<|assistant|>¦\n",
    ),
    "remote": (
        "<system>¦Be kind.¦\n¦<user>¦Hi¦ there¦\n¦<assistant>",
        "Yes¦.¦<end>",
        "\n¦<user>¦user¦\n¦Why¦\n¦<assistant>",
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_models_own_answer_in_a_prompt_counts_as_generated(name: str) -> None:
    first, answer, second = TEMPLATES[name]
    own = [step.token for step in steps(answer)]
    prompt = [*steps(first), *steps(answer), *steps(second)]
    drawn = [*steps(first), *steps(answer, "drawn"), *steps(second)]
    assert with_own_answers(prompt, [own]) == tuple(drawn)
    cut_off = with_own_answers(prompt, [own[:-1]])
    assert was_cut_off(messages(cut_off)[-3], cut_off)
    assert with_own_answers(prompt, [[]]) == tuple(prompt)
    assert with_own_answers(prompt, [own, own]) == tuple(prompt)


@pytest.mark.parametrize("name", TEMPLATES)
def test_roles_and_texts_are_found(name: str) -> None:
    first, answer, second = TEMPLATES[name]
    path = [*steps(first), *steps(answer, "drawn"), *steps(second)]
    found = [
        (each.role, "".join(step.token.text for step in path[each.first : each.end]))
        for each in messages(path)
    ]
    assert found == [
        ("system", "Be kind."),
        ("user", "Hi there"),
        ("assistant", "Yes."),
        ("user", "user\nWhy"),
        ("assistant", ""),
    ]


def test_without_roles_what_was_given_is_the_users() -> None:
    path = [*steps("<s>¦[INST]¦ Hi¦[/INST]"), *steps(" Yes¦</s>", "drawn"), *steps("[INST]¦ Why")]
    found = [(each.role, each.given) for each in messages(path)]
    assert found == [("user", True), ("assistant", False), ("user", True)]


def test_a_message_that_the_model_wrote_is_not_the_learners() -> None:
    path = steps("<|im_start|>¦user¦\n¦Hi¦<|im_end|>¦\n¦<|im_start|>¦assistant¦\n")
    path += steps("Yes¦<|im_end|>¦\n¦<|im_start|>¦user¦\n¦More", "drawn")
    assert [(each.role, each.given) for each in messages(path)] == [
        ("user", True),
        ("assistant", False),
        ("user", False),
    ]
    tree = TokenTree.from_prompt((), 1).extend(path)
    last = last_message(tree)
    assert last is not None
    assert last.text == "Hi"


def test_the_last_message_says_what_comes_before_it() -> None:
    first, answer, second = TEMPLATES["ChatML"]
    path = [*steps(first), *steps(answer, "drawn"), *steps(second)]
    one = last_message(TokenTree.from_prompt((), 1).extend(path[: len(steps(first))]))
    two = last_message(TokenTree.from_prompt((), 1).extend(path))
    assert (one, two) == (("Hi there", 0), ("user\nWhy", len(steps(first)) + 4))
    assert last_message(None) is None


def test_the_template_and_the_system_message_are_not_shown() -> None:
    first, answer, _ = TEMPLATES["ChatML"]
    path = [*steps(first), *steps(answer, "drawn")]
    shown = [path[at].token.text for at in shown_positions(path)]
    assert shown == ["Hi", " there", "Yes", "."]


@given(st.lists(st.tuples(st.sampled_from(VOCABULARY), st.sampled_from(["prompt", "drawn"]))))
def test_any_tokens_are_divided_into_messages(tokens: list[tuple[Token, How]]) -> None:
    path = [Step(token, how) for token, how in tokens]
    found = messages(path)
    assert all(each.start <= each.first <= each.end <= each.stop for each in found)
    if found:
        assert [each.stop for each in found] == [*(each.start for each in found[1:]), len(path)]
        assert found[0].start == 0


def test_a_loop_is_noticed_when_the_same_tokens_come_back() -> None:
    again = steps("¦".join("abcdefg"))
    assert len(again) == LENGTH
    assert repeats_itself(again * TIMES)
    assert not repeats_itself(again * (TIMES - 1))
    assert not repeats_itself([*again * TIMES, *steps("¦".join("abcdefgh"))])
