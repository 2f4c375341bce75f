"""Lay out a conversation: a line with each speaker's name, then the message in wrapped lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.chat.lines import version_keys
from tutor.app.explorer.chat.messages import (
    EARLIER_ANSWER,
    is_empty_answer,
    last_message,
    messages,
    was_cut_off,
)
from tutor.app.explorer.chat.versions import version_at, versions
from tutor.app.explorer.events import UseText
from tutor.app.explorer.text_view import CURSOR, Line, token_texts, wrap
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.chat.messages import Message
    from tutor.app.explorer.chat.versions import Version
    from tutor.app.explorer.state import State
    from tutor.lm.distribution import ModelCard
    from tutor.lm.token_tree import Step

INDENT = 2
YOU = "You"
NO_ANSWER = _("No answer")
"""The heading above a message that the learner sent before the model answered the last one."""


@dataclass(frozen=True)
class Conversation:
    """The content of the chat.

    `name` is the model's name. If `marks` is true, the chat also shows the special tokens of the
    chat template and the system message. `pending` is a message that is still being tokenized. If
    `colored` is true, the color of each token shows its probability. `open` is true if the model's
    answer can continue. `versions` lists the messages that have several versions, and `chosen` is
    the one to which `keys`, the keys for switching versions, apply. `keys` is empty while a letter
    would begin a message.
    """

    steps: Sequence[Step] = ()
    focus: int = 0
    marks: bool = False
    name: str = ""
    pending: str | None = None
    colored: bool = False
    open: bool = False
    versions: tuple[Version, ...] = ()
    chosen: Version | None = None
    keys: str = ""


@dataclass(frozen=True)
class ChatLine:
    """A line of the chat: either a speaker's name, or a line of the message's text.

    Token positions in `line` are relative to `start`. `version` says which version of the message
    is shown and whether it was stopped, and `keys` names the keys that switch to another version.
    """

    speaker: str = ""
    version: str = ""
    keys: str = ""
    line: Line | None = None
    start: int = 0

    def holds(self, focus: int) -> bool:
        """Return True if a token at or after position `focus` begins on this line."""
        return self.line is not None and any(
            run.index + self.start >= focus for run in self.line.runs
        )


BLANK = ChatLine()


def conversation_of(state: State) -> Conversation:
    """Return the content of the chat for a state of the explorer."""
    tree, other = state.tree, state.to_rebuild
    if other is not None:
        marks, waiting, kept = state.document.marks, _waiting(state), other.steps
        found = messages(kept)
        if waiting is None and found and is_empty_answer(found[-1]):
            kept = kept[: found[-1].start]  # the new model will write this answer
        return Conversation(kept, len(kept), marks, EARLIER_ANSWER, waiting)
    steps: Sequence[Step] = tree.steps if tree else ()
    if state.handed_in is not None and state.replaces and (last := last_message(tree)):
        steps = steps[: last.before]
    several = versions(tree, tree.current) if tree else []
    return Conversation(
        steps,
        versions=tuple(several),
        chosen=version_at(several, tree.focus) if tree else None,
        keys=version_keys(state),
        focus=min(tree.focus, len(steps)) if tree else 0,
        marks=state.document.marks,
        name=model_name(state.engine.model),
        pending=state.handed_in,
        colored=not state.folded,
        open=not state.ended,
    )


def _waiting(state: State) -> str | None:
    """Return the first message that waits until the conversation has been built again."""
    return next((each.text for each in state.queue if isinstance(each, UseText)), None)


def lay_out(conversation: Conversation, width: int) -> list[ChatLine]:
    """Return the lines of a conversation, with a blank line between messages."""
    steps = conversation.steps
    lines: list[ChatLine] = []
    for message in messages(steps):
        if message.role == "system" and not conversation.marks:
            continue
        last = message.stop == len(steps) and conversation.pending is None
        unanswered = is_empty_answer(message) and not last
        first, end = (
            (message.start, message.stop) if conversation.marks else (message.first, message.end)
        )
        texts = _wrapped(tuple(steps[first:end]), max(4, width - INDENT), conversation.marks)
        lines += [BLANK] * bool(lines)
        name = NO_ANSWER if unanswered else speaker(message, conversation.name)
        lines.append(_speaker_line(name, message, conversation, width))
        empty = [] if unanswered else [Line()]
        lines += [ChatLine(line=line, start=first) for line in texts or empty]
    if conversation.pending is not None:
        said = wrap([safe(conversation.pending)], max(4, width - INDENT), newline="")
        lines += [BLANK] * bool(lines)
        lines.append(ChatLine(speaker=YOU))
        lines += [ChatLine(line=line, start=len(steps)) for line in said]
    return lines


def _speaker_line(name: str, message: Message, conversation: Conversation, width: int) -> ChatLine:
    """Return the line with the speaker's name, the message's version, and keys if they fit.

    The line of an answer that was stopped, and is followed by a message, says so.
    """
    steps = conversation.steps
    found = next((each for each in conversation.versions if each.message == message), None)
    said = [found.said] if found else []
    if message.role == "assistant" and message.given and steps[message.end - 1].how != "prompt":
        said.append(_("continued by {name}").format(name=conversation.name))
    said += [_("stopped")] if was_cut_off(message, steps) else []
    version = ", ".join(said)
    keys = conversation.keys if found and found == conversation.chosen else ""
    if cell_len(f"{name}  {version}  {keys}") > width:
        keys = ""
    return ChatLine(speaker=name, version=version, keys=keys)


def model_name(model: ModelCard | None) -> str:
    """Return the name of the model, or "the model" if none is loaded."""
    return safe(model.base_name) if model else _("the model")


def speaker(message: Message, name: str) -> str:
    """Return the speaker's name to show above a message."""
    if message.role == "assistant":
        return EARLIER_ANSWER if message.given else name
    if message.role == "system":
        return _("System message")
    return YOU if message.given else _("User, written by the model")


@lru_cache(maxsize=256)
def _wrapped(steps: tuple[Step, ...], width: int, marks: bool) -> tuple[Line, ...]:
    """Wrap one message into lines. The results are cached, because most messages do not change."""
    if not steps:
        return ()
    texts = token_texts(steps, marks=marks)
    if not marks:
        return tuple(wrap(_trimmed(texts), width, newline=""))
    lines = wrap(texts, width)
    return tuple(lines[:-1] if len(lines) > 1 and not lines[-1].runs else lines)


def _trimmed(texts: list[str]) -> list[str]:
    """Remove whitespace at the start of a message, and empty lines at its end."""
    for index, text in enumerate(texts):
        texts[index] = text.lstrip()
        if texts[index]:
            break
    for index in range(len(texts) - 1, -1, -1):
        kept = texts[index].rstrip("\n")
        texts[index] = kept
        if kept:
            break
    return texts


def top_line(before: int, at: int, count: int, room: int) -> int:
    """Return the index of the first line to show, so that line `at` is visible.

    If possible, this is `before`, the index of the line that was first until now. `count` is the
    total number of lines, and `room` is the number of lines that fit on the screen.
    """
    last = max(0, count - room)
    if at >= count - 1:
        return last
    if before <= at < before + room:
        return min(before, last)
    return min(max(0, at - (room - 1) // 2), last)


def version_note(line: ChatLine) -> Content:
    """Draw the version of a message, and the keys that switch to another version."""
    version = (f"  {line.version}" if line.version else "", theme.MUTED)
    keys = (f"  {line.keys}" if line.keys else "", f"{theme.ACT} bold")
    return Content.assemble(version, keys)


def drawn(line: ChatLine, conversation: Conversation, looked_at: int | None) -> Content:
    """Draw one line with its styles. `looked_at` is the position of the token to highlight."""
    if line.speaker:
        style = f"{theme.ACT} bold" if line.speaker == YOU else "bold"
        return Content.styled(line.speaker, style) + version_note(line)
    if line.line is None:
        return Content("")
    parts: list[tuple[str, str]] = [(" " * INDENT, "")]
    for run in line.line.runs:
        at = run.index + line.start
        if at >= len(conversation.steps):  # this text is still being tokenized
            parts.append((run.text, theme.MUTED))
            continue
        parts.append((run.text, _style(conversation, at, looked_at)))
    return Content.assemble(*parts)


def _style(conversation: Conversation, at: int, looked_at: int | None) -> str:
    step = conversation.steps[at]
    if at == looked_at:
        return "reverse"
    style = theme.MUTED if step.token.special else ""
    if conversation.colored and step.known_bits is not None:
        style = theme.likely(2.0**-step.known_bits)
    return f"{style} underline".strip() if step.how == "taken" else style


def cursor() -> Content:
    """Draw the cursor after the last token, where the model will add the next one."""
    return Content.styled(CURSOR, theme.ACT)
