"""What was found about stored progress at the start stands on the first screen."""

from __future__ import annotations

from pathlib import Path

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import Clock, answered
from tests.app.whole_app import until, whole_app
from tutor.learner.progress import Progress


async def test_a_damaged_state_and_a_log_that_was_cut_off_are_both_told(tmp_path: Path) -> None:
    """The one when the files are opened, the other when they have been looked through."""
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
        await until(pilot, lambda: told("was cut off. Nothing is lost: its copy"))
        assert told("is empty. Its backup is used instead")
    assert Progress.open(tmp_path).cards() == cards
    assert log.read_bytes() == (tmp_path / "reviews.log.copy").read_bytes()
