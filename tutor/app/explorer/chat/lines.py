"""The lines below a conversation, which describe the effect of Enter, and the editor's label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer import readout
from tutor.app.explorer.chat.messages import last_message
from tutor.app.explorer.chat.situation import without_template
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.state import State
    from tutor.lm.token_tree import TokenTree

_KEY = f"{theme.ACT} bold"


def keys(width: int, *entries: tuple[str, str]) -> Content:
    """Draw one line with keys and their effects. Keys that do not fit are left out."""
    while sum(len(key) + len(does) + 3 for key, does in entries) - 2 > width and len(entries) > 1:
        entries = entries[:-1]
    return Content("  ").join(
        Content.assemble((key, _KEY), " ", (does, theme.MUTED)) for key, does in entries
    )


def _settings(state: State, room: int) -> Content:
    return readout.settings(state.sampler_to_come, state.steering_to_come, room)


def with_sampler(left: Content, state: State, width: int) -> Content:
    """Draw the sampler settings at the right end of a line, if there is room."""
    return readout.spread(left, _settings(state, width - left.cell_length - 2), width)


def target_lines(state: State, width: int) -> list[Content]:
    """Return the lines that say what Enter does in a conversation."""
    if not state.folded and not opens_editor(state):
        return readout.target_lines(state, width)
    if state.tree is None and without_template(state) is not None:
        line = keys(width, ("c", _("go back to the text")))
    elif state.handed_in is not None:
        line = keys(width, ("esc", _("take the message back")))
    elif state.suggests:
        line = keys(width, ("enter", _("sends the selected message")), ("e", _("write your own")))
    elif state.reading is not None:
        line = readout.progress(*state.reading, width - 24)
    elif opens_editor(state) and not state.running:
        continues = [("r", _("continue the answer"))] if state.unfinished else []
        line = keys(
            width,
            ("enter", _("write the next message")),
            *continues,
            *([("s", _("another answer"))] if state.to_rebuild is None else []),
            ("N", _("new chat")),
        )
    else:
        room = width - _settings(state, width // 2).cell_length - 2
        line, *__ = readout.target_lines(state, room)
    return [with_sampler(line, state, width) if state.folded else line]


def opens_editor(state: State) -> bool:
    """Return True if Enter opens the message editor.

    This is the case if there is no token to take, and in a conversation whose distribution is
    hidden.
    """
    if state.mode == "text":
        return False
    if state.tree is None:
        return state.handed_in is None
    return state.ended or state.folded


def writes_on(state: State) -> bool:
    """Return True if an answer is being generated, so that a letter begins the next message.

    The editor opens when the answer ends. If letters were commands until then, the learner could
    not tell whether a letter typed at about that time would be a command or part of the message.
    """
    growing = state.handed_in is not None or (state.running and state.typing)
    return growing and state.table_hidden and state.panel is None


def starts_message(state: State) -> bool:
    """Return True if a character that is not the key of a command begins the next message.

    Otherwise, the first word of a message that the learner types outside the field would be lost.
    """
    waits = state.mode == "chat" and state.panel is None and opens_editor(state)
    return writes_on(state) or (waits and without_template(state) is None)


def focus_line(state: State, tree: TokenTree, width: int) -> Content:
    """Return the line about the token in focus. A hidden special token is described in words."""
    index = tree.last_looked_at
    if state.document.marks or index is None:
        return readout.focus_line(tree, state.context, width, chat=True)
    step = tree.steps[index]
    if tree.at_end and step.how == "prompt":
        return readout.with_context_use(Content(""), tree, state.context, width, chat=True)
    name = _("(end of the message)") if step.token.special else ""
    return readout.focus_line(tree, state.context, width, name, chat=True)


def after_escape(key: str) -> str:
    """Return the words for a key that works only after Esc has left the field."""
    return _("esc then {key}:").format(key=key)


def version_keys(state: State) -> str:
    """Return the keys that switch to another version of a message.

    In the field, they work only after Esc. Return "" while a letter would begin a message.
    """
    if writes_on(state):
        return ""
    return _("esc then {keys}").format(keys="p/n") if state.panel == "editor" else "p/n"


def editor_label(state: State, width: int) -> Content:
    """Return the editor's label, which says what the learner edits and what the keys do."""
    what = _("your message")
    entries = [("enter", _("sends"))]
    if state.editing:
        what = _("your last message")
        replaces = _("replaces it (the old one is kept)")
        entries = [("enter", replaces), ("↓", _("write a new one"))]
    elif state.suggests:
        entries += [("1-4", _("send a suggestion")), ("↑↓", _("choose"))]
    elif last_message(state.tree) is not None:
        edit = ("↑", _("edits your last one"))
        again = (after_escape("s"), _("another answer"))
        if state.unfinished or state.running or state.reading is not None:
            # While the text is being processed, the key stops that, even if no answer has begun.
            continues = state.unfinished and state.reading is None
            does = _("continues") if continues else _("stops")
            # At 80 columns, there is no room to name Esc twice.
            distribution = [(_("or {key}:").format(key="d"), _("distribution"))]
            entries = [
                (after_escape("r"), does),
                *(distribution if state.folded else []),
                edit,
                again,
                *entries,
            ]
        else:
            distribution = [(after_escape("d"), _("distribution"))]
            entries = [again, edit, *entries, *(distribution if state.folded else [])]
        if len(what) + 3 + sum(map(len, entries[0])) > width:
            what = _("message")  # at 40 columns, the first key would be cut off
    room = width - len(what) - 2
    left = Content.assemble((what, "bold"), "  ") + keys(room, *entries)
    return with_sampler(left, state, width)
