"""Test that the first screen shows the problems found in stored progress."""

from __future__ import annotations

from pathlib import Path

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import Clock, answered
from tests.app.whole_app import until, whole_app
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
