"""The part of the explorer pane that handles keys in a conversation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import on
from textual.events import Paste
from textual.widgets import TextArea

from tutor.app.delay import call_after
from tutor.app.explorer import events
from tutor.app.explorer.chat.editor import LATE, MessageEditor
from tutor.app.explorer.chat.first_messages import picked
from tutor.app.explorer.chat.hints import CHAT_SAVED
from tutor.app.explorer.chat.lines import opens_editor, starts_message, writes_on
from tutor.app.explorer.chat.messages import last_message
from tutor.app.explorer.chat.unsent import text_to_edit, written_in_field
from tutor.app.explorer.chat.view import ConversationView
from tutor.app.explorer.pane_layout import PaneLayout
from tutor.language import _
from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Mapping

    from textual.events import Key

    from tutor.app.explorer.document import Mode
    from tutor.app.explorer.events import Event
    from tutor.app.explorer.state import State

SAVE_AFTER = 0.5
"""The maximum time, in seconds, before a change is saved. Leaving the pane saves it immediately."""

WHILE_GROWING = (
    "do pause",
    "do stop",
    "do fold",
    "stop_answer",
    "next_message",
    "message",
    "scroll",
    "page",
    "focus_by",
)
"""The actions whose keys work while an answer is being generated. Other letters begin a message."""

IN_A_TEXT = (
    "do start",
    "do fold",
    "hide_distribution",
    "do marks",
    "do back",
    "do fork",
    "focus_by",
    "cursor",
    "take",
    "search",
    "xray",
    "compare",
    "branches",
)
"""The actions that need a text. An empty chat does not offer their keys."""
IN_THE_LIST = ("close", "stop_saving")
"""The actions whose keys work while the list of saved texts is open, which has its own keys."""
SUGGESTING = ("send_suggestion", "choose_suggestion", "suggestion")
"""The actions that need suggestions for a first message."""


def _as_left(editor: MessageEditor) -> events.LeaveEditor:
    changes, place = editor.changes, editor.place
    return events.LeaveEditor(changes.get(place, ""), changes, place)


def new_chat_matters(state: State) -> bool:
    """Return True if the key line should offer a new chat first."""
    over = (state.complete or state.full) and not state.running
    return over and state.table_hidden and state.panel is None


def chat_key(state: State, action: str) -> bool | None:
    """Return True if a key of the pane is available now, and False if it is not.

    Return None if neither the mode nor the list of saved texts affects the key. `action` is the
    name of the key's action. If the action has parameters, the first parameter follows the name.
    """
    chat, name = state.mode == "chat", action.split(" ")[0]
    if state.panel == "recent" and name not in IN_THE_LIST:
        return False
    if chat and writes_on(state) and not {action, name} & set(WHILE_GROWING):
        return False
    if chat and state.tree is None and {action, name} & set(IN_A_TEXT):
        return False
    match action:
        case "do pause":
            return chat and state.running
        case "stop_answer":
            return chat and (state.running or state.handed_in is not None)
        case "do start":
            return chat and not (state.running or state.reading or state.complete)
        case "complete":
            return chat and state.complete and not (state.running or state.reading)
        case "do run":
            return not chat and state.reading is None
        case "do fold":
            return chat and state.folded
        case "hide_distribution":
            return chat and not state.folded
        case "do marks":
            return chat
        case "do seed":
            return not chat
        # Until the answer is complete, this key is one of the most useful.
        case "another_answer early":
            return chat and not (state.suggests or state.complete or state.to_rebuild)
        case "another_answer late":
            return chat and not state.suggests and state.to_rebuild is None
        case "new_chat early":
            return chat and new_chat_matters(state)
        case "new_chat late":
            return chat and (state.tree is not None or state.to_rebuild is not None)
        case "message":
            return chat and (state.suggests or not opens_editor(state))
        case "panel editor":
            return not chat
        case "step":
            return not opens_editor(state)
        case "next_message":
            return opens_editor(state) and not state.suggests
        case "plain_sampling":
            return chat and not (state.sampler_to_come.plain and state.chat_default.plain)
    match name:
        case "version":
            return chat and state.tree is not None and len(state.tree.branches) > 1
        case "page":
            return chat and not state.suggests
        case "scroll":
            return state.table_hidden and not state.suggests
        case "cursor" | "take":
            return not state.table_hidden
        case _ if name in SUGGESTING:
            return state.suggests
    return None


class ChatPane(PaneLayout):
    """The base class of the explorer pane, with the actions for a conversation.

    A subclass creates the controller and sends it the events.
    """

    _runs_outside = False
    """Whether an answer was being generated whose end does not open the field."""
    ended_at: float | None = None
    """When the latest such answer ended, or None. The clock is the one of `Key.time`."""
    _save_timer: TimerHandle | None = None

    def _send(self, event: Event) -> None:
        raise NotImplementedError

    def _draw(self, state: State) -> None:
        self._note_end(state)
        super()._draw(state)

    def _note_end(self, state: State) -> None:
        """Note when an answer ends that a key has started.

        In a lab that sets the first message, Esc leaves at once.
        """
        by_key = not (state.typing or state.first_message)
        runs = state.mode == "chat" and state.running and by_key
        if self._runs_outside and not runs and state.mode == "chat":
            self.ended_at = time.monotonic()
        self._runs_outside = runs

    def action_hide_distribution(self) -> None:
        self._send(events.Signal.FOLD)

    def action_scroll(self, by: int) -> None:
        self._send(events.Scroll(self.query_one(ConversationView).scrolled(by)))

    def action_page(self, by: int) -> None:
        self.action_scroll(by * self.query_one(ConversationView).page)

    def action_mode(self, mode: Mode) -> None:
        self._send(events.ChangeMode(mode))

    def action_plain_sampling(self) -> None:
        state = self.state
        plain = state.sampler_to_come.plain
        self._send(events.SetSampler(state.chat_default if plain else PLAIN))

    def action_next_message(self) -> None:
        self.action_message()

    def action_send_suggestion(self) -> None:
        """Send the highlighted suggestion."""
        self.use_text("")

    def action_suggestion(self, number: int) -> None:
        self.use_text(str(number))

    def action_choose_suggestion(self, by: int) -> None:
        self._send(events.ChooseSuggestion(by))

    def action_version(self, by: int) -> None:
        self._send(events.SwitchVersion(by))

    def action_another_answer(self, _when: str) -> None:
        self._send(events.Signal.NEW_SEED)

    def action_new_chat(self, _when: str) -> None:
        self._send(events.OpenText(None))
        self._send(events.Say(CHAT_SAVED))

    def action_stop_answer(self) -> None:
        """Stop the answer. If it is the answer to a message, this opens the editor.

        If the model has not received the message yet, the editor opens with the message. A second
        Esc that was meant for the answer then does not leave the chat.
        """
        if self.state.handed_in is not None:
            self._send(events.Signal.TAKE_BACK)
            self.focus()
            return
        self._send(events.Signal.PAUSE)
        self.ended_at = time.monotonic()

    def action_complete(self) -> None:
        """Show that the answer is complete and cannot continue."""
        self._send(events.Signal.START)

    def on_key(self, event: Key) -> None:
        """Begin the next message with a character that is not the key of a command.

        Ignore an Esc that was meant for an answer that has just ended. It would leave the chat.
        """
        state = self.state
        if event.key == "escape" and self._is_late(event):
            event.stop()
            event.prevent_default()
            self._say_too_late("Esc")
            return
        if not event.character or not event.is_printable or not starts_message(state):
            return
        if event.character == " " and not writes_on(state):
            return
        if event.key not in self.screen.active_bindings:
            event.stop()
            event.prevent_default()
            self.action_message()
            self.query_one(MessageEditor).insert(event.character)

    def on_paste(self, event: Paste) -> None:
        """Begin the next message with a pasted text, or continue it if the field is opening."""
        if self.state.panel == "editor" or starts_message(self.state):
            event.stop()
            if self.state.panel != "editor":
                self.action_message()
            self.query_one(MessageEditor).post_message(Paste(event.text))

    def action_message(self) -> None:
        """Open the editor for the next message."""
        self._send(events.ShowPanel("editor"))

    def use_text(self, text: str, kept: Mapping[str, str] | None = None, place: str = "") -> None:
        """Send the text as a message, or use it as the prompt of a new text.

        The number of a suggestion sends the suggestion, and the draft is kept. `kept` are the other
        texts in the field, if the text is from the field. `place` is the earlier text that the
        learner has changed, or "" for a new text.
        """
        state = self.state
        instead = state.mode == "chat" and state.editing
        message = picked(state, text)
        others = None if kept is None else dict(kept)
        self._send(events.UseText(message, instead, others, "" if message != text else place))
        draft = text_to_edit(state)
        if message != text and kept is None and draft:
            written = written_in_field(state)
            changes = {"": written.new, **written.changes}
            self._send(events.LeaveEditor(draft, changes, written.place))

    def on_prompt_editor_accepted(self, event: MessageEditor.Accepted) -> None:
        self.use_text(event.text, event.kept, event.place)
        editor = self.query_one(MessageEditor)
        if self.state.mode == "chat" and editor.changes != event.kept:
            # The learner has typed after Enter, before the field closed.
            self._leave(editor)

    def leave_field(self, event: Event) -> None:
        """Keep the text in the field if an event closes it, for example from the palette."""
        closes = isinstance(event, events.ChangeMode | events.OpenText | events.ShowPanel)
        if closes and event != events.ShowPanel("editor"):
            self.keep_written()

    def keep_written(self) -> None:
        """Close the editor if it is open, and keep its text."""
        if self.state.panel == "editor" and not self._controller.left:
            self.on_prompt_editor_left()

    def on_prompt_editor_left(self) -> None:
        self._leave(self.query_one(MessageEditor))

    def _leave(self, editor: MessageEditor) -> None:
        """Keep what the learner has written in the field, and where they have written it."""
        self._send(_as_left(editor))

    @on(TextArea.Changed)
    def save_soon(self) -> None:
        """Save the text and the message that is being written, `SAVE_AFTER` seconds from now.

        A run changes the text all the time, so a timer restarted at each change would never fire.
        """
        if self._save_timer is None:
            self._save_timer = call_after(SAVE_AFTER, self, self._save)

    def _save(self) -> None:
        editor = self.query_one(MessageEditor)
        if self.state.panel == "editor" and (editor.changed or self.state.writing):
            self._send(events.Writing(_as_left(editor)))
        self._send(events.Signal.SAVE)
        self._save_timer = None

    def on_message_editor_paged(self, event: MessageEditor.Paged) -> None:
        if self.state.mode == "chat":
            self.action_page(event.by)

    def on_message_editor_arrow(self, event: MessageEditor.Arrow) -> None:
        self._send(events.ChooseSuggestion(event.by))

    def on_message_editor_picked(self, event: MessageEditor.Picked) -> None:
        self.use_text(event.number, self.query_one(MessageEditor).changes)

    def on_message_editor_too_late(self, event: MessageEditor.TooLate) -> None:
        self._say_too_late(event.key)

    def _is_late(self, event: Key) -> bool:
        """Return True if Esc would leave the chat, although an answer has only just ended."""
        active = self.screen.active_bindings.get("escape")
        leaves = active is not None and active.node is self.screen
        return leaves and self.ended_at is not None and event.time - self.ended_at < LATE

    def _say_too_late(self, key: str) -> None:
        said = _("The answer had already ended, so {key} did nothing.")
        self._send(events.Say(said.format(key=key)))

    def on_message_editor_recalled(self, event: MessageEditor.Recalled) -> None:
        """Tell the controller whether the text in the editor is the last message.

        If it is, Enter replaces that message. Otherwise, Enter sends the text as a new message.
        """
        self._send(events.EditLast(on=self._is_last(event.earlier)))

    def _is_last(self, earlier: str) -> bool:
        last = last_message(self.state.tree) if self.state.mode == "chat" else None
        return last is not None and earlier == last.text
