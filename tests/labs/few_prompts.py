"""Reduce the number of items in the labs on prompts, so that their tests are fast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tutor import paths
from tutor.labs.injection.lab import material
from tutor.labs.kit.prompts.tasks import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

KEPT = {"items": 4, "documents": 3, "praise": 2, "attacks": 2, "harmless": 1}


def few_prompts(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reduce the items of each task to `KEPT` until the generator is resumed."""
    shipped = paths.assets_folder()
    cut = folder / "assets"
    (cut / "prompts").mkdir(parents=True)
    for entry in shipped.iterdir():
        if entry.name != "prompts":
            (cut / entry.name).symlink_to(entry)
    for file in (shipped / "prompts").iterdir():
        (cut / "prompts" / file.name).write_text(_cut(file), "utf-8")
    patch.setattr(paths, "assets_folder", lambda: cut)
    for kept in (tasks, material):
        kept.cache_clear()
    yield
    for kept in (tasks, material):
        kept.cache_clear()


def _cut(file: Path) -> str:
    found = json.loads(file.read_text("utf-8"))
    for each in found if isinstance(found, list) else [found]:
        for name in KEPT.keys() & each.keys():
            each[name] = each[name][: KEPT[name]]
    return json.dumps(found)
