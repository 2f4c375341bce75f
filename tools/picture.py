"""Make docs/stepper.svg, the picture in the README, from the real app and model.

    python tools/picture.py

This needs the default model (`tutor model pull`). It does not touch your progress.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tutor.app.app import TutorApp
from tutor.app.explorer.distribution_table import DistributionTable
from tutor.course.catalogue import load_course
from tutor.engine.client import EngineClient
from tutor.learner.progress import Progress

PICTURE = Path(__file__).parent.parent / "docs" / "stepper.svg"
TAKEN = "124"
"""The rows to take after the prompt."""


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = EngineClient()
        app = TutorApp(load_course(), Progress.open(Path(folder)), engine)
        async with app.run_test(size=(80, 24)) as pilot:
            await engine.start()
            await engine.ready()
            await pilot.press("s")
            for key in TAKEN:
                await pilot.pause()
                await _answered(app)
                await pilot.press(key)
            await pilot.pause()
            await _answered(app)
            await pilot.pause()
            app.save_screenshot(PICTURE.name, str(PICTURE.parent))


async def _answered(app: TutorApp) -> None:
    """Wait for the workers that are asking the engine."""
    app.screen.query_one(DistributionTable)
    await app.workers.wait_for_complete(
        [worker for worker in app.workers if worker.node is not app]
    )


if __name__ == "__main__":
    asyncio.run(main())
