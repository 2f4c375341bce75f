"""Draws the lab of gray text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.lines import Lines
from tutor.labs.ghost_text import lab
from tutor.labs.ghost_text.code_editor import CodeEditor
from tutor.labs.ghost_text.lab import State
from tutor.labs.kit.columns import LOW, Cell, as_many_as_fit, cursor
from tutor.labs.kit.keys import DOWN_UP, RIGHT_LEFT, Keys, key, pair
from tutor.labs.kit.view import LabView
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

_LABEL = 10


class GhostTextView(LabView):
    """The file, and below it what the model was shown, what it proposes, how it could begin, and
    what can be said of the line that was taken."""

    BINDINGS: ClassVar[Keys] = [
        key("e", "write", "write", "Write in the file, from where the cursor is."),
        key("tab", "take('line')", "take all", "Take what is proposed, all of it."),
        key("w", "take('word')", "a word", "Take one word of it."),
        key("t", "take('token')", "a token", "Take one token of it."),
        *pair(DOWN_UP, "choose(*, 'beginning')", "another", "Another way."),
        *pair(RIGHT_LEFT, "adjust(*, 'lines')", "show more, less", "More lines, or fewer."),
        key("f", "choose(1, 'file')", "next file", "Another file. This one stays as it is."),
        key("b", "reset", "as it was", "This file as it was in the beginning."),
    ]
    DEFAULT_CSS = """
    GhostTextView { overflow: hidden hidden; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        yield CodeEditor(lab.LONGEST, self._changed, self.did, self.focus)
        yield Lines(id="below")

    @property
    def editor(self) -> CodeEditor:
        return self.query_one(CodeEditor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the learner writes, the editor has keys of its own."""
        own = ("write", "take", "choose", "adjust", "reset")
        return not (action in own and self.is_mounted and self.editor.has_focus)

    def _changed(self, text: str, cursor: int) -> None:
        """A key changed the file, or where the cursor is. The model is asked after a pause."""
        if (text, cursor) == (self.state.text, self.state.cursor):
            return
        self.did(lab.EditFile(text, cursor))
        if self._pause is None:  # a learner who types on wants no proposal
            self._pause = self.set_timer(self.state.limits.pause, self._paused)
        else:
            self._pause.reset()

    def _paused(self) -> None:
        self._pause = None
        self.did(lab.Pause())

    def action_write(self) -> None:
        self.editor.focus()

    def action_take(self, part: lab.Part) -> None:
        self.did(lab.Accept(part))

    def draw(self, state: State) -> None:
        self.editor.show(state.text, state.cursor, state.ghost, state.seen)
        width, low = self.columns, self.size.height < LOW
        self.put("#below", _briefly(state, width) if low else _below(state, width))


def _below(state: State, width: int) -> list[Content]:
    """Always as many lines, so that the file above does not move."""
    return [
        *_labelled("shown", _shown(state), width),
        *_labelled("gray", _ghost(state), width, 2),
        *_labelled("begins", _beginnings(state, width - _LABEL), width),
        *_labelled("taken", _taken(state.accepted), width, 2),
    ]


def _briefly(state: State, width: int) -> list[Content]:
    """Two lines, where there is no room for more."""
    shown = (f"{len(state.seen)} of {_lines(state)} lines  ", MUTED)
    below = _taken(state.accepted) if state.accepted else _beginnings(state, width)
    lines = (Content.assemble(shown, _ghost(state)), below)
    return [line.truncate(width, ellipsis=True) for line in lines]


def _labelled(label: str, said: Content, width: int, rows: int = 1) -> list[Content]:
    """What is said beside its label, in so many rows."""
    room = max(8, width - _LABEL)
    wrapped = list(said.wrap(room)) if said.plain else []
    if len(wrapped) > rows:
        rest = Content(" ").join(line.rstrip() for line in wrapped[rows - 1 :])
        wrapped = [*wrapped[: rows - 1], rest.truncate(room, ellipsis=True)]
    wrapped += [Content("")] * (rows - len(wrapped))
    margins = [f"{label:<{_LABEL}}", *([" " * _LABEL] * (rows - 1))]
    return [
        Content.assemble((margin, MUTED), line.rstrip())
        for margin, line in zip(margins, wrapped, strict=True)
    ]


def _lines(state: State) -> int:
    return state.text.count("\n") + 1


def _shown(state: State) -> Content:
    """How much of the file the model was given."""
    seen = state.seen
    first, last = seen.start + 1, seen.stop
    lines = f"line {last}" if first == last else f"lines {first} to {last}"
    proposal = state.current
    tokens = f", {counted(proposal.tokens, 'token')}" if proposal else ""
    cut = ", the beginning does not fit" if state.is_cut else ""
    return Content.assemble(
        f"{lines} of {_lines(state)}{tokens}",
        (cut, NOT_YET),
        ("; nothing below, no other file", MUTED),
    )


def _ghost(state: State) -> Content:
    """What is proposed, in full: beside the cursor there may be no room for it."""
    proposal = state.current
    if state.ghost:
        more = "" if proposal and proposal.done else " …"
        return Content.assemble((figures.ended(safe(state.ghost)).strip(), "italic"), (more, MUTED))
    return Content.styled(_why_nothing(state, proposal), MUTED)


def _why_nothing(state: State, proposal: lab.Proposal | None) -> str:
    if proposal is not None and proposal.done:
        return "nothing: the line ends here"
    if state.dismissed:
        return "dismissed, until the next key"
    if not state.at_end_of_line:
        return "comes at the end of a line"
    if not state.context.strip():
        return "nothing to go by yet"
    return "…"


def _beginnings(state: State, width: int) -> Content:
    """The tokens that come first, each with its probability, the one that was taken marked; as
    many as fit."""
    proposal = state.current
    if proposal is None or proposal.context != state.context:
        return Content("")
    groups: list[list[Cell]] = []
    for place, beginning in enumerate(proposal.beginnings):
        here = beginning.id == state.instead or (state.instead is None and place == 0)
        name = (visible(beginning.data), "bold" if here else "")
        share = (f" {figures.percent(beginning.probability)}  ", MUTED)
        groups.append([cursor(here), name, share])
    return Content.assemble(*as_many_as_fit(groups, width))


def _taken(accepted: lab.Accepted | None) -> Content:
    """What can be said of a line without running it."""
    if accepted is None:
        return Content("")
    verdict = accepted.verdict
    parts: list[tuple[str, str]] = []
    if verdict.trouble:
        what = "a line above does not parse" if verdict.above else "does not parse"
        return Content.assemble((f"× {what}: ", NOT_YET), safe(verdict.trouble))
    parts.append(("✓ parses  ", RIGHT))
    if verdict.missing:
        parts += [("× not there: ", NOT_YET), (safe(", ".join(verdict.missing)) + "  ", "bold")]
    elif verdict.known:
        parts.append(("✓ its names are there  ", RIGHT))
    if verdict.open_:
        parts.append((safe(f"not looked up: {', '.join(verdict.open_)}  "), MUTED))
    if accepted.right:
        parts.append(("✓ a line known to be right", RIGHT))
    elif not verdict.missing:
        parts.append(("whether it is right, neither tells", MUTED))
    return Content.assemble(*parts)


VIEW = GhostTextView
