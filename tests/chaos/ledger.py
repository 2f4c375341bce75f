"""Record which answers were reported as saved, and check that each is stored exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tests.chaos.session import Said
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Event, Forgotten, Imported, LogEvent, Undone
from tutor.learner.review_log import ReviewLog
from tutor.learner.state import LearnerState, fold, in_order


class Broken(AssertionError):
    """Raised if the invariant is broken. The argument explains how."""


class Ledger:
    """A record of what was saved for one learner on one machine."""

    def __init__(self) -> None:
        self.events: dict[str, LogEvent] = {}
        """Events that were reported as saved or have been found on disk."""
        self.newer: set[str] = set()
        """The ids of these events whose kind only a newer program knows."""
        self.tried: dict[str, LogEvent] = {}
        self._tried_newer: set[str] = set()
        self._refused: set[str] = set()
        """Events that could not be saved because the disk was full.

        They must not be on disk, or they would count twice when the question is answered again.
        """
        self.places: dict[str, int] = {}
        """The last position that was reported as saved, by lesson."""
        self.lost = 0
        self.doubled = 0

    def hear(self, session: str, said: Iterable[Said]) -> int:
        """Record a session's messages. Return the number of answers that they report as saved."""
        saves: dict[int, Said] = {}
        answers = 0
        for each in said:
            if each.refused.startswith("bug"):
                raise Broken(f"a save ended with {each.refused}")
            if each.saved and (save := saves.get(each.save)):
                new = {e.id: e for e in save.events if e.id not in self.events}
                answers += sum(isinstance(event, Answered) for event in new.values())
                self.events |= new
                self.newer |= {save.newer} - {""}
                self.places[session] = max(save.place, self.places.get(session, 0))
            elif each.refused == "StoreFull" and (save := saves.get(each.save)):
                self._refused |= {event.id for event in save.events}
            elif not each.refused:
                saves[each.save] = each
                self.tried |= {event.id: event for event in each.events}
                self._tried_newer |= {each.newer} - {""}
        return answers

    def check(self, progress: Progress) -> None:
        """Raise `Broken` if the invariant is broken.

        From now on, everything on disk counts as saved, because the learner may have seen it.
        """
        events = [event for event in progress.events() if not isinstance(event, Imported)]
        found = Counter(event.id for event in events)
        by_id = {event.id: event for event in events}
        lost = [id_ for id_, event in self.events.items() if by_id.get(id_) != event]
        doubled = [id_ for id_, count in found.items() if count > 1]
        self.lost += len(lost)
        self.doubled += len(doubled)
        if lost or doubled:
            raise Broken(f"lost: {lost}, doubled: {doubled}")
        if strange := [id_ for id_, event in by_id.items() if self.tried.get(id_) != event]:
            raise Broken(f"no session has done {strange}")
        if kept := self._refused & set(by_id):
            raise Broken(f"refused, but saved nevertheless: {kept}")
        log = ReviewLog(progress.folder / "reviews.log")
        newer = sum(line.unknown for line in log.read())
        if not len(self.newer) <= newer <= len(self._tried_newer):
            raise Broken(f"{newer} lines of the newer program, not {len(self.newer)}")
        self._check_cards(progress, events)
        self.events |= by_id

    def _check_cards(self, progress: Progress, events: Sequence[LogEvent]) -> None:
        cards = progress.cards()
        counts = {key: card.answers for key, card in cards.items()}
        if counts != (expected := count_answers(events)):
            wrong = {key for key in {*counts, *expected} if counts.get(key) != expected.get(key)}
            raise Broken(
                f"cards count {[(key, counts.get(key), expected.get(key)) for key in wrong]}"
            )
        if cards != fold(LearnerState(), in_order(events)).cards:
            raise Broken("the cards are not those that follow from the log")


def count_answers(events: Iterable[LogEvent]) -> dict[str, int]:
    """Return how often the latest version of each question was answered, computed naively."""
    events = list(events)
    undone = {event.answer for event in events if isinstance(event, Undone)}
    forgotten: dict[str, list[Event]] = {}
    for event in events:
        if isinstance(event, Forgotten):
            for question in event.questions:
                forgotten.setdefault(question, []).append(event)
    counting: dict[str, list[Answered]] = {}
    for event in events:
        if isinstance(event, Answered) and event.id not in undone:
            until = max((each.at for each in forgotten.get(event.question, ())), default=-1.0)
            if event.at > until:
                counting.setdefault(event.question, []).append(event)
    return {
        question: sum(each.version == max(e.version for e in answers) for each in answers)
        for question, answers in counting.items()
    }


def read_said(data: bytes) -> list[Said]:
    """Return the messages in a session's pipe, without a last line that was cut off by a kill."""
    decoder = msgspec.json.Decoder(Said)
    return [decoder.decode(line) for line in data.split(b"\n")[:-1]]
