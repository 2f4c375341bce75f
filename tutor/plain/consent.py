"""Ask the learner for consent before any text leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.model import consent_text
from tutor.language import _
from tutor.plain import words
from tutor.plain.place import Command, Leave, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.plain.place import Decided, Services
    from tutor.vendors.catalogue import RemoteModel


def consent_lines(model: RemoteModel, what: str) -> Iterator[str]:
    """Yield sentences that say what is sent to the host of `model`, and what is not."""
    yield consent_text.HEADING
    receiver, *others = consent_text.facts(model, what)
    yield words.ended(f"{receiver.label.capitalize()}: {receiver.text}")
    for fact in others:
        yield words.ended(fact.text)


class ConsentPlace(Place):
    """A place that asks the learner for consent to send text to the host of a remote model.

    It calls `decided` once with the answer. If the learner leaves the place without an answer, it
    counts as a refusal.
    """

    title = _("Nothing has been sent yet.")

    def __init__(self, services: Services, model: RemoteModel, what: str, decided: Decided) -> None:
        super().__init__(services)
        self._model, self._what = model, what
        self._decided: Decided | None = decided

    async def begin(self) -> None:
        self.say(self.title, *consent_lines(self._model, self._what))

    def commands(self) -> Sequence[Command]:
        return (
            Command("yes", "Allow sending text to this host until you quit tutor.", self._yes),
            Command("no", "Go back without sending anything.", self._no),
        )

    async def _yes(self, rest: str) -> Leave:
        self.services.engine.allow(self._model)
        self._decide(True)
        return Leave.BACK

    async def _no(self, rest: str) -> Leave:
        return Leave.BACK

    async def close(self) -> None:
        self._decide(False)

    def _decide(self, answer: bool) -> None:
        decided, self._decided = self._decided, None
        if decided is not None:
            decided(answer)
