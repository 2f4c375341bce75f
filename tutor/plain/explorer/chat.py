"""The chat in plain mode. Every line that is not a command is sent to the model as a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer import events
from tutor.app.explorer.chat.messages import EARLIER_ANSWER, messages
from tutor.app.explorer.events import Signal
from tutor.language import _
from tutor.lm.token_tree import text_of
from tutor.plain.explorer.explorer import ExplorerPlace
from tutor.plain.explorer.stepper import token_lines
from tutor.plain.place import Command
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.chat.messages import Message
    from tutor.app.explorer.document import Mode

_SPEAKERS = {"user": _("You"), "assistant": _("Model"), "system": _("System prompt")}


class ChatPlace(ExplorerPlace):
    """A conversation with the model."""

    MODE: Mode = "chat"
    KEYS = {"s": "again", "r": "continue", "o": "new"}  # noqa: RUF012
    takes_text = True
    title = _("Chat with the model.")

    @property
    def _messages(self) -> tuple[Message, ...]:
        tree = self.state.tree
        return messages(tree.steps) if tree is not None else ()

    def say_all(self) -> None:
        """Print the number of messages and the last message."""
        if self.state.ready and not self.state.chat_possible:
            self.say(_("This model cannot chat. It only continues text."))
            return
        said = [each for each in self._messages if each.role != "system"]
        if said:
            self.say(
                _("The conversation has {messages}.").format(messages=counted(len(said), "message"))
            )
            for message in said[-2:]:
                self._say_message(message)
        self.say_steering()

    def _say_message(self, message: Message) -> None:
        tree = self.state.tree
        if tree is not None:
            text = text_of(tree.steps[message.first : message.end]).strip()
            other = message.role == "assistant" and message.given
            speaker = EARLIER_ANSWER if other else _SPEAKERS[message.role]
            self.say(f"{speaker}: {text or _('nothing')}")

    def asks(self) -> str:
        return _("Type your message.") if self.agreed else ""

    async def typed(self, text: str) -> None:
        await self._answer(events.UseText(text))

    async def _answer(self, event: events.Event) -> None:
        before = self.state.tree
        try:
            await self.send(event)
        finally:
            if self.state.tree != before and self._messages:
                self._say_message(self._messages[-1])

    def own_commands(self) -> Sequence[Command]:
        found = [
            Command("say", "Send a message, even if it is also a command.", self._say_, "TEXT"),
            Command("new", "Start a new conversation. This one is kept.", self._new),
        ]
        if self.state.tree is not None:
            found += [
                Command("again", "Get another answer, with a new seed.", self._again),
                Command("continue", "Let the model continue its answer.", self._continue),
                Command("conversation", "Show the whole conversation.", self._conversation),
                Command("tokens", "Show the last tokens of the answer.", self._tokens, "NUMBER"),
            ]
        return found

    async def _say_(self, rest: str) -> None:
        await self.typed(rest)

    async def _again(self, rest: str) -> None:
        await self._answer(Signal.NEW_SEED)

    async def _continue(self, rest: str) -> None:
        await self._answer(Signal.START)

    async def _new(self, rest: str) -> None:
        await self.send(events.OpenText(None))
        self.say(_("This is a new conversation."))

    async def _conversation(self, rest: str) -> None:
        for message in self._messages:
            if message.role != "system":
                self._say_message(message)

    async def _tokens(self, rest: str) -> None:
        tree = self.state.tree
        if tree is not None and self._messages:
            last = self._messages[-1]
            steps = tree.steps[last.first : last.end]
            self.services.voice.all(token_lines(steps, len(steps), rest))
