"""A version of a prompt: the parts that it is made of, and the prompt that they make."""

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
    """What can be switched. A text that is empty is left out.

    `rule` constrains the output and stands `before` or `after` the material; `marks` are put
    around the material. `frame`: "chat" is one message of a conversation, in "turns" examples are
    earlier messages and their answers, "text" is plain text without the chat template. `begin`
    is what the answer begins with, given by us."""

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
"""Parts that are a text."""

_QUOTES = {"none": "{}", "tags": "<text>{}</text>", "quotes": '"{}"'}


class Prompt(msgspec.Struct, frozen=True):
    """What the model is given: messages for its chat template, or a plain `text`; and how its
    answer begins."""

    messages: tuple[ChatMessage, ...] = ()
    text: str = ""
    begin: str = ""


def choices(task: Task, part: Part) -> tuple[str | int | float, ...]:
    """What a part can be switched to, the first for a new version. Texts can also be one's own."""
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
    """An instruction, and nothing else."""
    return Version(instruction=task.instruction)


def on_task(version: Version, before: Task, after: Task) -> Version:
    """Return the same version for another task: what was of the one task becomes that of the
    other, what the learner wrote stays."""
    changed = {}
    for part in WRITTEN:
        known = choices(before, part)
        if (value := getattr(version, part)) in known:
            changed[part] = choices(after, part)[known.index(value)]
    return replace(version, **changed)


def idle(version: Version, part: Part) -> bool:
    """Whether it makes no difference what this part is switched to: the place of a rule where
    there is none, and the order of fewer than two examples."""
    return (part == "place" and not version.rule) or (part == "order" and version.examples < 2)


def effective(version: Version) -> Version:
    """The same with its idle parts at their first choices: two versions whose prompts are the same
    are one."""
    if idle(version, "place"):
        version = replace(version, place="before")
    if idle(version, "order"):
        version = replace(version, order="as listed")
    return version


def differing(one: Version, other: Version) -> tuple[Part, ...]:
    """The parts in which two versions differ, without those that are idle in one of them."""
    without = {part for part in PARTS if idle(one, part) or idle(other, part)}
    return tuple(
        part for part in PARTS if part not in without and getattr(one, part) != getattr(other, part)
    )


def assemble(version: Version, task: Task, item: Item) -> Prompt:
    """The prompt that asks for one item.

    The order is the same for all: who (role), what (instruction), the rule if it stands before,
    how (steps), examples, the material, the rule if it stands after. What all items share comes
    first, so it has to be read only once.
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
    """The answer with what it was begun with; but a name in front of it, as in "Sentiment:", is no
    part of it. In plain text nothing marks the end of an answer: it is the first line."""
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
