"""Versions of a prompt, each described by its parts, and the prompts built from them."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.prompts.tasks import Item, Task
from tutor.lm.distribution import ChatMessage

Frame = Literal["chat", "turns", "text"]
Marks = Literal["none", "tags", "quotes"]
Order = Literal["as listed", "turned round"]
Place = Literal["before", "after"]


class Version(msgspec.Struct, frozen=True):
    """A version of a prompt, described by its parts. An empty text means that the part is missing.

    Attributes:
        frame: "chat" puts the whole prompt into one message, "turns" presents the examples as
            earlier messages and replies, and "text" uses plain text without the chat template.
        rule: A constraint on the form of the answer.
        place: The position of the rule, before or after the item's text.
        marks: The delimiters around the item's text.
        examples: The number of examples.
        order: The order of the examples.
        begin: The first words of the answer, which the prompt supplies.
    """

    frame: Frame = "chat"
    system: str = ""
    role: str = ""
    instruction: str = ""
    steps: str = ""
    rule: str = ""
    place: Place = "before"
    marks: Marks = "none"
    examples: int = 0
    order: Order = "as listed"
    begin: str = ""
    temperature: float = 0.0


Part = Literal[
    "frame",
    "system",
    "role",
    "instruction",
    "steps",
    "rule",
    "place",
    "marks",
    "examples",
    "order",
    "begin",
    "temperature",
]
PARTS: tuple[Part, ...] = Version.__struct_fields__  # type: ignore[assignment]
WRITTEN: frozenset[Part] = frozenset({"system", "role", "instruction", "steps", "rule", "begin"})
"""The parts that contain text, which the learner can edit."""

_QUOTES = {"none": "{}", "tags": "<text>{}</text>", "quotes": '"{}"'}


class Prompt(msgspec.Struct, frozen=True):
    """A prompt for the model: `messages` for the chat template, or plain `text`.

    `begin` is the beginning of the answer, which the model continues.
    """

    messages: tuple[ChatMessage, ...] = ()
    text: str = ""
    begin: str = ""


def choices(task: Task, part: Part) -> tuple[str | int | float, ...]:
    """Return the predefined values of a part, with the default first.

    The learner can also write their own text for the parts in `WRITTEN`.
    """
    found: dict[Part, tuple[str | int | float, ...]] = {
        "frame": ("chat", "turns", "text"),
        "system": (
            "",
            "You are a careful tool. You answer with as few words as possible.",
            "You are a pirate. You talk like a pirate.",
        ),
        "role": ("", "You are an expert.", "You are a friendly teacher who explains everything."),
        "instruction": (task.instruction, task.short, ""),
        "steps": ("", "Think step by step.", "First read it twice. Then decide. Then write."),
        "rule": ("", task.constraint, "No explanation."),
        "place": ("before", "after"),
        "marks": ("none", "tags", "quotes"),
        "examples": tuple(range(len(task.examples) + 1)),
        "order": ("as listed", "turned round"),
        "begin": ("", task.begin),
        "temperature": (0.0, 0.3, 0.7, 1.0, 1.5),
    }
    return found[part]


def plain_version(task: Task) -> Version:
    """Return a version that contains only the task's instruction."""
    return Version(instruction=task.instruction)


def on_task(version: Version, before: Task, after: Task) -> Version:
    """Return the version with its texts adapted to another task.

    Predefined texts of the task `before` are replaced with those of the task `after`. Texts that
    the learner wrote don't change.
    """
    changed = {}
    for part in WRITTEN:
        known = choices(before, part)
        if (value := getattr(version, part)) in known:
            changed[part] = choices(after, part)[known.index(value)]
    return replace(version, **changed)


def idle(version: Version, part: Part) -> bool:
    """Return True if a part has no effect in this version.

    The position of the rule has no effect if there is no rule. The order of the examples has no
    effect if there are fewer than two.
    """
    return (part == "place" and not version.rule) or (part == "order" and version.examples < 2)


def effective(version: Version) -> Version:
    """Return the version with all parts that have no effect set to their defaults.

    Two versions that produce the same prompt are then equal.
    """
    if idle(version, "place"):
        version = replace(version, place="before")
    if idle(version, "order"):
        version = replace(version, order="as listed")
    return version


def differing(one: Version, other: Version) -> tuple[Part, ...]:
    """Return the parts in which two versions differ, ignoring parts that have no effect."""
    without = {part for part in PARTS if idle(one, part) or idle(other, part)}
    return tuple(
        part for part in PARTS if part not in without and getattr(one, part) != getattr(other, part)
    )


def assemble(version: Version, task: Task, item: Item) -> Prompt:
    """Build the prompt for one item.

    The parts are in a fixed order: role, instruction, rule (if its `place` is "before"), steps,
    examples, the item's text, rule (if its `place` is "after"). The parts that don't depend on the
    item come first, so the model has to process them only once.
    """
    shots = task.examples[: version.examples]
    if version.order == "turned round":
        shots = shots[::-1]
    system = (ChatMessage("system", version.system),) if version.system else ()
    if version.frame == "turns":
        turns: list[ChatMessage] = []
        for shot in (*shots, item):
            asked = _material(version, task, shot)
            asked = _blocks("" if turns else _lead(version), asked)
            turns += [ChatMessage("user", asked), ChatMessage("assistant", shot.answer)]
        return Prompt((*system, *turns[:-1]), begin=version.begin)
    shown = [f"{_marked(version, task, shot)}\n{task.output}: {shot.answer}" for shot in shots]
    body = _blocks(_lead(version), *shown, _material(version, task, item))
    cue = f"{task.output}:"
    if version.frame == "text":
        begin = version.begin.removeprefix(cue)
        return Prompt(text=f"{_blocks(version.system, body)}\n{cue}", begin=begin and f" {begin}")
    if shots and not version.begin:
        body += f"\n{cue}"
    return Prompt((*system, ChatMessage("user", body)), begin=version.begin)


def whole_answer(version: Version, written: str) -> str:
    """Return the whole answer, including the beginning that the prompt supplied.

    A supplied beginning that ends in a colon, such as "Sentiment:", is not part of the answer. With
    a plain-text prompt, only the first line of the answer counts, because the model doesn't mark
    the end of its answer.
    """
    begun = "" if version.begin.endswith(":") else version.begin
    if version.frame == "text":
        written = written.lstrip().partition("\n")[0]
    return begun + written


def _lead(version: Version) -> str:
    rule = version.rule if version.place == "before" else ""
    first = " ".join(part for part in (version.role, version.instruction, rule) if part)
    return _blocks(first, version.steps)


def _material(version: Version, task: Task, item: Item) -> str:
    rule = version.rule if version.place == "after" else ""
    return _blocks(_marked(version, task, item), rule)


def _marked(version: Version, task: Task, item: Item) -> str:
    return f"{task.input}: {_QUOTES[version.marks].format(item.text)}"


def _blocks(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
