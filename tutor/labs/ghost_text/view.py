"""The view of the "Ghost text" lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.delay import call_after
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.lines import Lines
from tutor.labs.ghost_text import lab
from tutor.labs.ghost_text.code_editor import CodeEditor
from tutor.labs.ghost_text.lab import State
from tutor.labs.kit.columns import LOW, Cell, as_many_as_fit, pointer
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair
from tutor.labs.kit.view import LabView
from tutor.language import _
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from textual.app import ComposeResult

_LABEL = 10


class GhostTextView(LabView):
    """A view of the file and, below it, the proposal and the check of the accepted line."""

    BINDINGS: ClassVar[Keys] = [
        key("e", "write", "edit", "Edit the file at the cursor."),
        key("tab", "take('line')", "accept", "Accept the whole proposal."),
        key("w", "take('word')", "word", "Accept one word of the proposal."),
        key("t", "take('token')", "token", "Accept one token of the proposal."),
        *pair(UP_DOWN, "choose(*, 'beginning')", "another", "Choose another first token."),
        *pair(LEFT_RIGHT, "adjust(*, 'lines')", "lines", "Give the model more or fewer lines."),
        key(
            "o",
            "choose(1, 'file')",
            "next file",
            "Open the next file. Your changes to this file are kept.",
        ),
        Binding("f", "choose(1, 'file')", show=False),
        key("z", "reset", "reset", "Reset this file to its original text."),
    ]
    DEFAULT_CSS = """
    GhostTextView { overflow: hidden hidden; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._pause: TimerHandle | None = None

    def compose(self) -> ComposeResult:
        yield CodeEditor(lab.LONGEST, self._changed, self.did, self.focus)
        yield Lines(id="below")

    @property
    def editor(self) -> CodeEditor:
        return self.query_one(CodeEditor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the view's own keys while the editor, which has its own, has the focus."""
        own = ("write", "take", "choose", "adjust", "reset")
        return not (action in own and self.is_mounted and self.editor.has_focus)

    def _changed(self, text: str, cursor: int) -> None:
        """Report a change of the text or the cursor. Request a proposal once the learner pauses."""
        if (text, cursor) == (self.state.text, self.state.cursor):
            return
        self.did(lab.EditFile(text, cursor))
        if self._pause is not None:  # Wait until the learner stops typing.
            self._pause.cancel()
        self._pause = call_after(self.state.limits.pause, self, self._paused)

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
    """Return the lines below the file.

    Their number never changes, so the file doesn't move.
    """
    return [
        *_labelled(_("shown"), _shown(state), width),
        *_labelled("proposal", _ghost(state), width, 2),
        *_labelled(_("starts"), _beginnings(state, width - _LABEL), width),
        *_labelled("accepted", _taken(state.accepted), width, 2),
    ]


def _briefly(state: State, width: int) -> list[Content]:
    """Return the two most important lines, for short screens."""
    shown = (
        _("{count} of {lines} lines  ").format(count=len(state.seen), lines=_lines(state)),
        MUTED,
    )
    below = _taken(state.accepted) if state.accepted else _beginnings(state, width)
    lines = (Content.assemble(shown, _ghost(state)), below)
    return [line.truncate(width, ellipsis=True) for line in lines]


def _labelled(label: str, said: Content, width: int, rows: int = 1) -> list[Content]:
    """Return exactly `rows` lines with a label to the left of the text."""
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
    """Return a sentence about how much of the file the model was shown."""
    seen = state.seen
    first, last = seen.start + 1, seen.stop
    lines = (
        _("line {last}").format(last=last)
        if first == last
        else _("lines {first} to {last}").format(first=first, last=last)
    )
    proposal = state.current
    tokens = f", {counted(proposal.tokens, 'token')}" if proposal else ""
    cut = _(", too long, cut at the start") if state.is_cut else ""
    return Content.assemble(
        _("{lines} of {lines2}{tokens}").format(lines=lines, lines2=_lines(state), tokens=tokens),
        (cut, NOT_YET),
        (_("; no text below, no other files"), MUTED),
    )


def _ghost(state: State) -> Content:
    """Return the full ghost text, because the editor may have truncated it."""
    proposal = state.current
    if state.ghost:
        more = "" if proposal and proposal.done else " …"
        return Content.assemble((figures.ended(safe(state.ghost)).strip(), "italic"), (more, MUTED))
    return Content.styled(_why_nothing(state, proposal), MUTED)


def _why_nothing(state: State, proposal: lab.Proposal | None) -> str:
    if proposal is not None and proposal.done:
        return _("none, since the model ends the line here")
    if state.dismissed:
        return _("dismissed until you type")
    if not state.at_end_of_line:
        return _("only at the end of a line")
    if not state.context.strip():
        return _("none, since there is no text to continue")
    return "…"


def _beginnings(state: State, width: int) -> Content:
    """Return the alternative first tokens that fit, with their probabilities.

    The current one is marked.
    """
    proposal = state.current
    if proposal is None or proposal.context != state.context:
        return Content("")
    groups: list[list[Cell]] = []
    for place, beginning in enumerate(proposal.beginnings):
        here = beginning.id == state.instead or (state.instead is None and place == 0)
        name = (visible(beginning.data), "bold" if here else "")
        share = (f" {figures.percent(beginning.probability)}  ", MUTED)
        groups.append([pointer(here), name, share])
    return Content.assemble(*as_many_as_fit(groups, width))


def _taken(accepted: lab.Accepted | None) -> Content:
    """Return the result of checking an accepted line."""
    if accepted is None:
        return Content("")
    verdict = accepted.verdict
    parts: list[tuple[str, str]] = []
    if verdict.trouble:
        what = _("a line above does not parse") if verdict.above else _("does not parse")
        return Content.assemble((f"× {what}: ", NOT_YET), safe(verdict.trouble))
    parts.append((_("✓ parses  "), RIGHT))
    if verdict.missing:
        parts += [(_("× unknown: "), NOT_YET), (safe(", ".join(verdict.missing)) + "  ", "bold")]
    elif verdict.known:
        parts.append((_("✓ all names exist  "), RIGHT))
    if verdict.open_:
        parts.append(
            (safe(_("not checked: {items}  ").format(items=", ".join(verdict.open_))), MUTED)
        )
    if accepted.right:
        parts.append((_("✓ known to be correct"), RIGHT))
    elif not verdict.missing:
        parts.append((_("the line can still be wrong"), MUTED))
    return Content.assemble(*parts)


VIEW = GhostTextView
