"""Step through text with a remote model.

The session supports some of the queries of `tutor.lm.session`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tutor.errors import NotTold, TextError
from tutor.lm.attribution import Attribution, Occlusion
from tutor.lm.distribution import (
    ChatMessage,
    Distribution,
    ModelCard,
    Row,
    SamplerSettings,
    Token,
    XRay,
)
from tutor.vendors import shown
from tutor.vendors.alternatives import ALTERNATIVES
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.reader import Check, RemoteReader
from tutor.vendors.runs import never
from tutor.vendors.shown import NOT_TOLD
from tutor.vendors.vocabulary import (
    ASSISTANT,
    BREAK,
    END,
    USER,
    conversation,
    is_conversation,
)


class RemoteSession:
    """A sequence of tokens with a remote model.

    A position is the number of tokens before it. `bits` maps token indexes to the known surprisals
    in bits. The session calls `check` while it waits for the server. This function raises an error
    if the query has been canceled.
    """

    def __init__(
        self,
        reader: RemoteReader,
        path: Sequence[Token],
        bits: Sequence[float | None] = (),
        check: Check = never,
    ) -> None:
        if not path:
            raise TextError("The text is empty.", "Enter at least one character.")
        self._reader = reader
        self._check = check
        self._path = list(path)
        self._bits = {index: value for index, value in enumerate(bits) if value is not None}

    @classmethod
    def on_text(cls, reader: RemoteReader, text: str, check: Check = never) -> RemoteSession:
        """Start a session with text. Raises `TextError` if the text is empty."""
        if not text:
            raise TextError("The text is empty.", "Enter at least one character.")
        told = reader.split(text, check)
        bits = [None if log is None else -log / math.log(2) for _, log in told]
        return cls(reader, [token for token, _ in told], bits)

    @classmethod
    def on_chat(cls, reader: RemoteReader, messages: Iterable[ChatMessage]) -> RemoteSession:
        """Start a session with a conversation, up to the start of the assistant's next answer.

        Raises `TextError` if there are no messages.
        """
        said = tuple(messages)
        if not said:
            raise TextError("The conversation is empty.", "Write a message first.")
        return cls(reader, conversation(reader.vocabulary, said))

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(self._path)

    @property
    def ended(self) -> bool:
        return self._path[-1] == END

    def __len__(self) -> int:
        return len(self._path)

    def append(self, ids: Iterable[int]) -> None:
        self._path += self._reader.vocabulary.tokens(ids)

    def append_turn(self, text: str) -> tuple[Token, ...]:
        """End the assistant's turn, append the user's next message, and begin the next answer."""
        if not text.strip():
            raise TextError("The message is empty.", "Write a message first.")
        if not is_conversation(self._path):
            raise TextError("This is plain text, not a conversation.", "Press c to start a chat.")
        closing = [] if self.ended else [END]
        said = self._reader.vocabulary.token(text.encode())
        added = (*closing, BREAK, USER, said, BREAK, ASSISTANT)
        self._path += added
        return added

    def go_back(self, length: int) -> None:
        del self._path[self._checked(length) :]
        self._bits = {index: value for index, value in self._bits.items() if index < length}

    def fork(self, length: int) -> RemoteSession:
        other = RemoteSession(self._reader, self._path[: self._checked(length)])
        other._bits = {index: value for index, value in self._bits.items() if index < length}
        return other

    def snapshot(self, check: Check) -> RemoteSession:
        """Return a copy of this session that uses the given cancellation check."""
        copy = self.fork(len(self))
        copy._check = check
        return copy

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int | None, top: int
    ) -> Distribution:
        """Return the distribution after `position` tokens, as far as the server reports it.

        If `seed` is None, only answers that have already begun are used, and the server starts no
        new one.
        """
        path = tuple(self._path[: self._checked(position)])
        found = self._reader.prediction(path, sampler, seed, self._check)
        if found.best_hidden and sampler.greedy:
            raise NotTold(
                f"{self._reader.model.host} does not report the most probable token here. It "
                "contains only part of a character, or is a special token.",
                "Choose a token, or use a temperature above 0 to sample one that the server shows.",
            )
        return shown.distribution(
            found.shown,
            sampler,
            position=position,
            seed=seed or 0,
            top=top,
            token_of=self._reader.vocabulary.token_of,
            drawn=found.drawn,
            drawn_log=found.drawn_log,
        )

    def rows(self, position: int, sampler: SamplerSettings, ids: Sequence[int]) -> tuple[Row, ...]:
        """Return the rows of these tokens.

        The probability of a token that the server does not report is NaN.
        """
        found = self.distribution(position, sampler, None, ALTERNATIVES)
        by_id = {row.token.id: row for row in (*found.rows, found.drawn)}
        beyond = len(found.rows) + 1
        tokens = self._reader.vocabulary.tokens(ids)
        return tuple(by_id.get(t.id) or shown.unknown(t, beyond) for t in tokens)

    def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        """Raise `NotTold`, because the vocabulary is unknown."""
        raise NotTold("A server does not report its vocabulary.", "Choose one of the tokens shown.")

    def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """Return the surprisal of each token from index `start` on.

        A surprisal that is not known yet is NaN, because it would need another request. The
        surprisal of the first token is None.
        """
        if not 0 <= start <= len(self._path):
            raise TextError(f"There is no token {start}: the text has {len(self._path)} tokens.")
        bits = [self._known_bits(index) for index in range(max(1, start), len(self._path))]
        return (None, *bits) if start == 0 else tuple(bits)

    def _known_bits(self, index: int) -> float:
        if index in self._bits:
            return self._bits[index]
        found = self._reader.known(tuple(self._path[:index]))
        for each in found.shown if found else ():
            if self._reader.vocabulary.token_of(each) == self._path[index]:
                return -each.log_probability / math.log(2)
        return NOT_TOLD

    def xray(self, position: int, layer: int, neighbors: bool = True) -> XRay:
        """Raise `NotTold`, because services don't report the internal values of their models."""
        raise NotTold(
            "A server returns the model's output, but not its internal values.",
            "Use a local model for the x-ray.",
        )

    def attribution(
        self, position: int, target: int | None = None, against: int | None = None
    ) -> Attribution:
        """Raise `NotTold`, because services don't report the internal values of their models."""
        raise _no_explanation()

    def sources(
        self,
        position: int,
        layer: int,
        head: int | None,
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[float, ...]:
        """Raise `NotTold`, because services don't report the internal values of their models."""
        raise _no_explanation()

    def occlusion(
        self,
        position: int,
        indexes: tuple[int, ...],
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[Occlusion, ...]:
        """Raise `NotTold`, because services don't report the logits of their models."""
        raise _no_explanation()

    def _checked(self, length: int) -> int:
        if not 1 <= length <= len(self._path):
            raise TextError(
                f"Position {length} is outside this text, which has {len(self._path)} tokens.",
                f"Use 1 to {len(self._path)}.",
            )
        return length


def _no_explanation() -> NotTold:
    return NotTold(
        "A server returns the model's output, but not its internal values.",
        "Use a local model to see why it predicts a token.",
    )


def remote_card(model: RemoteModel) -> ModelCard:
    """Return the model card to display. It has no data about the model's internal structure."""
    told = model.service.alternatives
    return ModelCard(
        name=model.name,
        path=model.service.base_url,
        sha256=f"{model.spec} at {model.service.base_url}",
        format="remote",
        kernel="remote",
        parameters=0,
        layers=0,
        heads=0,
        width=0,
        context=0,
        vocabulary_size=0,
        chat=True,
        end_ids=(END.id,),
        device="remote",
        host=model.host,
        shows=ALTERNATIVES if told is None else told,
    )
