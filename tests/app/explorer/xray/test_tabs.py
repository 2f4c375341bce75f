"""Test that the views of the x-ray survive any selection, which may come from a stranger's file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fake_engine import FakeEngine, split
from tutor.app.explorer.xray.inside import Findings, Inside, Network
from tutor.app.explorer.xray.tabs import Tabs
from tutor.labs.kit.columns import Room
from tutor.sharing.document import SharedXRay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.engine.api import AsyncModelSession
    from tutor.lm.attribution import Attribution, Occlusion
    from tutor.lm.distribution import Row, Token, XRay

PATH = split("The capital of France is Paris")
VIEWS = ("attention", "lens", "why", "map", "tokens", "heads", "lens-map", "experts")
INDEXES = st.one_of(st.none(), st.integers(0, 20), st.integers(0, 2**31 - 1))


class InsideOf:
    """The inside of the model of a session, whose text is `PATH`."""

    network = Network()

    def __init__(self, session: AsyncModelSession) -> None:
        self._session = session

    async def xray(
        self, path: Sequence[Token], position: int, layer: int, neighbors: bool = True
    ) -> XRay:
        return await self._session.xray(position, layer, neighbors)

    async def attribution(
        self, path: Sequence[Token], position: int, target: int | None, against: int | None
    ) -> Attribution:
        return await self._session.attribution(position, target, against)

    async def sources(
        self,
        path: Sequence[Token],
        position: int,
        layer: int,
        head: int | None,
        target: int | None,
        against: int | None,
    ) -> tuple[float, ...]:
        return await self._session.sources(position, layer, head, target, against)

    async def occlusion(
        self,
        path: Sequence[Token],
        position: int,
        index: int,
        target: int | None,
        against: int | None,
    ) -> Occlusion:
        (found,) = await self._session.occlusion(position, (index,), target, against)
        return found

    async def candidates(
        self, path: Sequence[Token], position: int, query: str, limit: int
    ) -> tuple[Sequence[Row], str]:
        raise NotImplementedError


async def drawn(tabs: Tabs, position: int, room: Room) -> Findings:
    """Draw the open view until it needs nothing more, and return the findings."""
    inside: Inside = InsideOf(await FakeEngine().open_text("".join(each.text for each in PATH)))
    found = Findings.at(PATH, position, inside.network)
    while True:
        while (request := tabs.open.missing(found)) is not None:
            await request.run(inside, found)
            if found.xray is not None:
                tabs.chosen.fit(found.xray.layers, found.xray.heads)
        tabs.open.heading(found, room.width)
        tabs.open.lines(found, room)
        if tabs.open.missing(found) is None:
            return found


@given(
    view=st.sampled_from(VIEWS),
    position=st.integers(0, len(PATH) - 1),
    indexes=st.tuples(INDEXES, INDEXES, INDEXES, INDEXES),
    toggled=st.booleans(),
    size=st.sampled_from([(20, 3), (40, 8), (80, 18)]),
)
def test_any_selection_can_be_drawn_and_described_again(
    view: str,
    position: int,
    indexes: tuple[int | None, int | None, int | None, int | None],
    toggled: bool,
    size: tuple[int, int],
) -> None:
    layer, head, row, column = indexes
    tabs = Tabs()
    tabs.restore(
        SharedXRay(
            position=position + 1,
            view=view,
            layer=layer,
            head=head,
            row=row,
            column=column,
            toggled=toggled,
        )
    )
    assert tabs.open.id == view
    found = asyncio.run(drawn(tabs, position, Room(*size)))
    described = tabs.to_share(found)
    again = Tabs()
    again.restore(described)
    assert again.to_share(found) == described


def test_a_view_that_this_version_lacks_opens_the_first_one() -> None:
    tabs = Tabs()
    tabs.restore(SharedXRay(position=1, view="\x1b[31mred"))
    assert tabs.open.id == "attention"
