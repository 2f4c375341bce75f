"""Compute the distributions of a text, and save it as a file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tutor import __version__
from tutor.sharing import writing
from tutor.sharing.document import shared_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.app.explorer.effects import ShareText
    from tutor.app.explorer.link import Link
    from tutor.lm.distribution import Distribution

ROWS = 10
"""The number of rows of the distribution to save for each position."""


async def save_shared(
    wanted: ShareText, link: Link, on_computed: Callable[[int, int], None]
) -> Path:
    """Save the text or picture, and return the path of the file. Raises `TutorError`.

    `on_computed` is called with the number of distributions computed so far and their total number.
    """
    asked = wanted.asked
    if asked.form == "svg":
        data = writing.picture(asked.picture)
        return await asyncio.to_thread(writing.save, asked.name, asked.form, data)
    tree, path = wanted.tree, wanted.tokens
    found: list[Distribution] = [wanted.known] if wanted.known is not None else []
    if path and not wanted.model.remote:  # a server would charge for every distribution
        seed = tree.current.seed
        asking = link.distributions(path, wanted.sampler, seed, wanted.steering, ROWS, on_computed)
        found = [each async for each in asking]
        unknown = tree.first_unknown()
        if unknown is not None and unknown < len(path):
            tree = tree.note_surprisals(unknown, await link.surprisals(path, unknown))
    text = shared_text(
        tree,
        wanted.model,
        found,
        mode=wanted.mode,
        sampler=wanted.sampler,
        steering=wanted.steering,
        xray=asked.xray,
        attribution=asked.attribution,
        tutor=__version__,
    )
    data = await asyncio.to_thread(writing.content, text, asked.form)
    return await asyncio.to_thread(writing.save, asked.name, asked.form, data)
