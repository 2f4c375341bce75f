"""Test that the first screen shows the problems found in stored progress."""

from __future__ import annotations

from pathlib import Path

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import Clock, answered
from tests.app.whole_app import sees, until, whole_app
from tests.engine.fake_engine import FakeEngine
from tutor.course.catalogue import load_course
from tutor.engine.api import EngineState
from tutor.errors import EngineError
from tutor.learner.progress import Progress


async def test_a_damaged_state_and_a_truncated_log_are_both_reported(tmp_path: Path) -> None:
    """Find one problem on opening the files, and the other on checking them."""
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    cards = Progress.open(tmp_path).cards()
    log = tmp_path / "reviews.log"
    log.write_bytes(log.read_bytes()[:100])
    (tmp_path / "progress.json").write_bytes(b"")
    app = whole_app(tmp_path, clock=clock)

    def told(sentence: str) -> bool:
        return sentence in " ".join(shown(app).split())

    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: told("is incomplete. Nothing is lost: its copy"))
        assert told("is empty. Its backup is used instead")
    assert Progress.open(tmp_path).cards() == cards
    assert log.read_bytes() == (tmp_path / "reviews.log.copy").read_bytes()


async def test_a_model_that_stops_does_not_hide_the_problems(tmp_path: Path) -> None:
    file = tmp_path / "course" / "01-broken.md"
    file.parent.mkdir()
    file.write_text("nothing of a lesson", encoding="utf-8")
    engine = FakeEngine(state=EngineState.LOADING)
    app = whole_app(tmp_path, engine, load_course(file.parent))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "01-broken.md")
        engine.become(EngineState.STOPPED, "", EngineError("It died.", "Restart it."))
        await sees(pilot, "It died.")
        assert "01-broken.md" in shown(app)
