"""Test that the tasks for prompts are valid, balanced, and checked exactly."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.labs.kit.prompts.tasks import Item, Task, outcome, tasks

ALL = tuple(tasks().values())


def of(name: str) -> Task:
    return tasks()[name]


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
class TestEachTask:
    def test_it_has_twenty_items_and_other_examples(self, task: Task) -> None:
        texts = [item.text for item in (*task.items, *task.examples)]
        assert len(task.items) == 20
        assert len(task.examples) == 6
        assert len({text.casefold() for text in texts}) == len(texts)

    def test_only_an_items_own_answer_is_right(self, task: Task) -> None:
        for item in (*task.items, *task.examples):
            assert outcome(task, item, item.answer) == "right"
            assert outcome(task, item, f"The answer is: {item.answer}") == "form"
            others = {other.answer for other in task.items} - {item.answer}
            assert {outcome(task, item, other) for other in others} == {"wrong"}

    def test_an_answer_taken_from_the_text_occurs_once(self, task: Task) -> None:
        if task.name in ("name", "number", "month"):
            for item in (*task.items, *task.examples):
                assert item.text.count(item.answer) == 1
        if task.name == "json":
            for item in (*task.items, *task.examples):
                for value in json.loads(item.answer).values():
                    assert item.text.count(str(value)) == 1

    def test_its_classes_are_equally_frequent(self, task: Task) -> None:
        if task.labels:
            counts = Counter(item.answer for item in task.items)
            assert set(counts) == set(task.labels)
            assert len(set(counts.values())) == 1
            first = [example.answer for example in task.examples[: len(task.labels)]]
            assert set(first) == set(task.labels)

    def test_only_classification_tasks_have_labels(self, task: Task) -> None:
        assert (task.checker == "label") == bool(task.labels)
        assert len(set(task.labels)) == len(task.labels)


def test_there_are_three_of_each_kind() -> None:
    assert len(ALL) == 9
    assert sum(task.checker == "label" for task in ALL) == 3


@pytest.mark.parametrize(
    ("name", "answer", "wanted", "found"),
    [
        ("sentiment", " Positive.\n", "positive", "right"),
        ("sentiment", "Negative", "positive", "wrong"),
        ("sentiment", "positive!", "positive", "form"),
        ("sentiment", "", "positive", "form"),
        ("name", "Maria", "Maria", "right"),
        ("name", "Maria Lopez", "Maria", "form"),
        ("number", "1,250", "1250", "form"),
        ("number", "14 steps", "14", "form"),
        ("number", "٣", "3", "form"),
        ("month", "3 May", "May", "form"),
        ("month", "June", "May", "wrong"),
        ("iso-date", "2019-5-3", "2019-05-03", "form"),
        ("iso-date", "2019-03-05", "2019-05-03", "wrong"),
        ("json", '{"age": 31, "name": "Maria"}', '{"name": "Maria", "age": 31}', "right"),
        ("json", '{"name": "Maria", "age": "31"}', '{"name": "Maria", "age": 31}', "form"),
        ("json", '{"name": "Maria", "age": true}', '{"name": "Maria", "age": 1}', "form"),
        ("json", '{"name": "maria", "age": 31}', '{"name": "Maria", "age": 31}', "wrong"),
        ("json", '[{"name": "Maria", "age": 31}]', '{"name": "Maria", "age": 31}', "form"),
        ("json", '{"name": "Maria", "age": 31} !', '{"name": "Maria", "age": 31}', "form"),
    ],
)
def test_the_checker_is_exact(name: str, answer: str, wanted: str, found: str) -> None:
    assert outcome(of(name), Item("", wanted), answer) == found


@given(st.sampled_from(ALL), st.text())
def test_the_checker_accepts_any_text(task: Task, answer: str) -> None:
    found = outcome(task, task.items[0], answer)
    assert found != "right" or task.items[0].answer.casefold() in answer.casefold() or "{" in answer


@given(st.recursive(st.integers(), lambda inner: st.lists(inner), max_leaves=20))
def test_json_that_is_not_an_object_has_the_wrong_form(value: object) -> None:
    assert outcome(of("json"), of("json").items[0], json.dumps(value)) == "form"
