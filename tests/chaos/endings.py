"""The events that end a cycle, and what tutor must report at the next start after each."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.chaos import damage
from tests.chaos.damage import Expected
from tests.chaos.disk import Disk
from tests.chaos.ledger import Broken, Ledger
from tests.chaos.session import Plan
from tests.chaos.sessions import Both, Running
from tests.chaos.start import start, start_app
from tutor.learner import exchange, storage
from tutor.learner.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState, identified
from tutor.learner.schema import CURRENT

YEAR = 365 * 86_400.0
READ_ONLY_SENTENCE = r"is not writable\. You can use everything"
NEWER_SENTENCE = r"was written by a newer version of tutor"
FULL_SENTENCE = r"There is no space left for"


class Learner:
    """A learner over many cycles, with a folder here and a folder on a second machine."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.data = disk.place / "data"
        self.folder = self.data / "learners" / "me"
        self.other_folder = disk.place / "other" / "me"
        self.export = disk.place / "export.json"
        self.ledger, self.other_ledger = Ledger(), Ledger()
        self.state_was_damaged = False
        """True if the file may contain damaged entries, which are reported."""

    def remove(self) -> None:
        for folder in (self.data, self.other_folder):
            shutil.rmtree(folder, ignore_errors=True)


class Cycle:
    """A cycle and the start after it. `answers` is the number of answers reported as saved."""

    def __init__(self, learner: Learner, chance: random.Random, seed: str, *, app: bool) -> None:
        self.learner = learner
        self.chance = chance
        self.answers = 0
        self.app = app
        self.places_may_go_back = False
        self._seed = seed

    def plans(self, **more: Any) -> list[Plan]:
        return [Plan(name=name, seed=f"{self._seed}:{name}", **more) for name in ("left", "right")]

    def some_saves(self) -> Callable[[Running], bool]:
        count = self.chance.randint(2, 12)
        return lambda session: session.saved >= count

    def hear(self, both: Both) -> None:
        for each in both.sessions:
            self.answers += self.learner.ledger.hear(each.plan.name, each.said)

    def live(self, number: signal.Signals = signal.SIGKILL, **plan: object) -> Both:
        """Run two sessions until they are ended with a signal."""
        with Both(self.learner.folder, self.plans(**plan)) as both:
            both.until(self.some_saves())
            both.end(number)
        self.hear(both)
        return both

    def restart(self, needed: tuple[str, ...] = (), allowed: tuple[str, ...] = ()) -> None:
        """Start tutor, and check that everything is still stored."""
        if self.learner.state_was_damaged:
            allowed = (*allowed, damage.LEFT_OUT_SENTENCE)
        if self.app:
            start_app(self.learner.data, Expected(needed, allowed))
            self.app = False
            needed, allowed = (), (*needed, *allowed)  # repaired damage is not reported again
        progress = start(self.learner.folder, Expected(needed, allowed))
        self.learner.ledger.check(progress)
        self._check_places(progress)

    def _check_places(self, progress: Progress) -> None:
        for lesson, number in self.learner.ledger.places.items():
            screen = int(progress.lesson(lesson).screen.removeprefix("screen-") or 0)
            if number and screen < number and not self.places_may_go_back:
                raise Broken(f"{lesson} is at screen {screen}, not at {number}")
        self.learner.ledger.places.clear()  # sessions number their screens from 1


def killed(cycle: Cycle) -> None:
    cycle.live()
    cycle.restart()


def hung_up(cycle: Cycle) -> None:
    _asked_to_leave(cycle, signal.SIGHUP)


def terminated(cycle: Cycle) -> None:
    _asked_to_leave(cycle, signal.SIGTERM)


def _asked_to_leave(cycle: Cycle, number: signal.Signals) -> None:
    both = cycle.live(number)
    for each in both.sessions:
        done = {said.save for said in each.said if said.saved}
        if left := {said.save for said in each.said} - done:
            raise Broken(f"left without saving {left}")
    cycle.restart()


def disk_full(cycle: Cycle) -> None:
    disk = cycle.learner.disk
    with Both(cycle.learner.folder, cycle.plans(largest=20)) as both:
        both.until(cycle.some_saves())
        disk.fill()
        both.until(lambda session: bool(session.refusals))
        both.end()
    cycle.hear(both)
    _refused_with(both, "StoreFull")
    cycle.restart(allowed=(FULL_SENTENCE,))
    disk.empty()
    cycle.restart()


def read_only(cycle: Cycle) -> None:
    disk = cycle.learner.disk
    with Both(cycle.learner.folder, cycle.plans(pause=0.003)) as both:
        both.until(cycle.some_saves())
        disk.read_only(between=lambda: both.until(lambda session: session.read() or True))
        try:
            both.until(lambda session: bool(session.refusals))
            both.end()
            cycle.hear(both)
            _refused_with(both, "StoreReadOnly")
            cycle.restart(needed=(READ_ONLY_SENTENCE,))
        finally:
            disk.writable()
    cycle.restart()


def _refused_with(both: Both, name: str) -> None:
    if strange := {refusal for each in both.sessions for refusal in each.refusals} - {name}:
        raise Broken(f"refused with {strange}, not {name}")


def torn(cycle: Cycle) -> None:
    _damaged(cycle, damage.tear)


def flipped(cycle: Cycle) -> None:
    _damaged(cycle, damage.flip)


def _damaged(cycle: Cycle, act: Callable[[Path, random.Random], Expected]) -> None:
    cycle.live()
    expected = act(cycle.learner.folder, cycle.chance)
    cycle.places_may_go_back = True
    cycle.learner.state_was_damaged |= damage.LEFT_OUT_SENTENCE in expected.allowed
    cycle.restart(expected.needed, expected.allowed)


def clock_back(cycle: Cycle) -> None:
    _clock(cycle, -cycle.chance.uniform(60, 10 * YEAR))


def clock_ahead(cycle: Cycle) -> None:
    _clock(cycle, YEAR)


def _clock(cycle: Cycle, jump: float) -> None:
    with Both(cycle.learner.folder, cycle.plans(jump=jump, jump_after=3)) as both:
        both.until(lambda session: session.saved >= 8)
        both.end()
    cycle.hear(both)
    cycle.restart()


def imported(cycle: Cycle) -> None:
    """Import from this machine to the second machine and back, while both sessions continue.

    If a session was killed during an import, the import is repeated. Then everything is imported
    once more. (If two machines have different positions in a lesson, the later one counts. Their
    clocks may have been wrong.)
    """
    learner = cycle.learner
    cycle.places_may_go_back = True
    _work_on_the_other_machine(cycle)
    with Both(learner.folder, cycle.plans(bundle=str(learner.export))) as both:
        both.until(cycle.some_saves())
        both.end()
    cycle.hear(both)
    cycle.restart()
    for _ in range(2):
        for here, there in (
            ((learner.folder, learner.ledger), (learner.other_folder, learner.other_ledger)),
            ((learner.other_folder, learner.other_ledger), (learner.folder, learner.ledger)),
        ):
            _exchange(learner.export, *here, *there)
    cycle.restart()


def _work_on_the_other_machine(cycle: Cycle) -> None:
    learner, ledger = cycle.learner, cycle.learner.other_ledger
    progress = start(learner.other_folder, Expected())
    for _ in range(cycle.chance.randint(1, 8)):
        event = identified(
            Answered(
                at=time.time() - cycle.chance.uniform(0, YEAR),
                question=f"question-{cycle.chance.randrange(40)}",
                version=1,
                lesson="both",
                correct=True,
            )
        )
        progress.record(event)
        ledger.tried[event.id] = ledger.events[event.id] = event
    learner.export.write_bytes(msgspec.json.encode(exchange.export(progress)))


def _exchange(
    file: Path, here: Path, ledger_here: Ledger, there: Path, ledger_there: Ledger
) -> None:
    """Import everything in the folder `here` into the folder `there`."""
    source, target = start(here, Expected()), start(there, Expected())
    file.write_bytes(msgspec.json.encode(exchange.export(source)))
    exchange.merge(target, [exchange.read(file, target.clock())])
    ledger_there.tried |= ledger_here.events
    ledger_there.events |= ledger_here.events
    ledger_there.check(start(there, Expected()))


def downgraded(cycle: Cycle) -> None:
    """Run an older program after a newer one.

    It reads the newer file, but saves nothing until the file in its own format is restored as the
    documentation explains.
    """
    folder = cycle.learner.folder
    Progress.open(folder).save_setting("seed", 1)  # in the format of this program
    cycle.live(newer=True)
    cycle.places_may_go_back = True
    cycle.restart(needed=(NEWER_SENTENCE,))
    progress = Progress.open(folder)
    before = damage.contents(folder)
    for save in (
        lambda: progress.save_lesson(LessonState(lesson="left", screen="screen-1")),
        lambda: progress.record(
            Answered(at=1.0, question="refused", version=1, lesson="both", correct=True)
        ),
    ):
        try:
            save()
        except StoreNewer:
            continue
        raise Broken("the older program has overwritten a file of the newer one")
    if damage.contents(folder) != before:
        raise Broken("the older program has changed a file of the newer one")
    own = folder / f"{damage.STATE}.format-{CURRENT.version}"
    shutil.copyfile(own, folder / damage.STATE)
    cycle.restart()
    cycle.live()
    cycle.restart()


def upgraded(cycle: Cycle) -> None:
    """Start with the folder of an earlier version: no copy of the log, and another checksum."""
    cycle.live()
    folder = cycle.learner.folder
    Progress.open(folder).save_setting("seed", 2)  # so that both files are whole
    for name in (damage.STATE, damage.BACKUP):
        tables = msgspec.json.decode((folder / name).read_bytes())
        del tables["about"]
        (folder / name).write_bytes(storage.encoded(tables, 3))
    (folder / damage.COPY).unlink()
    cycle.restart()


ENDINGS: dict[str, Callable[[Cycle], None]] = {
    "`kill -9`": killed,
    "SIGHUP": hung_up,
    "SIGTERM": terminated,
    "full disk": disk_full,
    "read-only remount": read_only,
    "torn write": torn,
    "flipped bits": flipped,
    "clock set back": clock_back,
    "clock a year ahead": clock_ahead,
    "import from a second machine": imported,
    "downgrade": downgraded,
    "upgrade": upgraded,
}
