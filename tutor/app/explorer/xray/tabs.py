"""The views of the x-ray: which one is open, what is selected in it, and how it is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer.xray.attention import AttentionTab
from tutor.app.explorer.xray.experts import ExpertsTab
from tutor.app.explorer.xray.heads import HeadsTab
from tutor.app.explorer.xray.inside import ChosenHead
from tutor.app.explorer.xray.lens import LensTab
from tutor.app.explorer.xray.lens_map import LensMapTab
from tutor.app.explorer.xray.tab import Selection, Tab
from tutor.app.explorer.xray.why import MapTab, TokensTab, WhyTab
from tutor.sharing.document import SharedXRay

if TYPE_CHECKING:
    from tutor.app.explorer.xray.inside import Findings

_KINDS: tuple[type[Tab], ...] = (
    *(AttentionTab, LensTab, WhyTab, MapTab, TokensTab, HeadsTab, LensMapTab, ExpertsTab),
)


class Tabs:
    """The views of one x-ray, of which one is open. All of them share the chosen head."""

    def __init__(self) -> None:
        self.chosen = ChosenHead()
        self._every = tuple(kind(self.chosen) for kind in _KINDS)
        self.open = self._every[0]

    def begin(self) -> None:
        """Reset all views, because another token is shown or explained."""
        for tab in self._every:
            tab.begin()
            tab.scroll.reset()

    def names(self, found: Findings | None) -> list[tuple[str, bool]]:
        """Return the name of each view that the model has, and whether the view is open."""
        return [(tab.name, tab is self.open) for tab in self._offered(found)]

    def next(self, by: int, found: Findings | None) -> Tab:
        """Return the view that is `by` positions after the open view."""
        offered = self._offered(found)
        return offered[(offered.index(self.open) + by) % len(offered)]

    def _offered(self, found: Findings | None) -> list[Tab]:
        """Return the views that the model has, and the open one."""
        return [tab for tab in self._every if tab is self.open or tab.exists(found)]

    def attention(self, layer: int, head: int) -> Tab:
        """Choose a head, and return the view of its attention."""
        self.chosen.layer, self.chosen.head, self.chosen.by_learner = layer, head, True
        return self._every[0]

    def to_share(self, found: Findings) -> SharedXRay:
        """Describe the open view for a saved text."""
        chosen, selection = self.chosen, self.open.selection
        return SharedXRay(
            position=found.position + 1,
            view=self.open.id,
            layer=chosen.layer if chosen.by_learner else None,
            head=chosen.head if chosen.by_learner else None,
            target=found.explained[0] if found.explains_another else None,
            against=found.against,
            row=selection.row,
            column=selection.column,
            toggled=selection.toggled,
        )

    def restore(self, shared: SharedXRay) -> None:
        """Open the view that a saved text describes, unless this version does not have it."""
        if shared.layer is not None and shared.head is not None:
            self.attention(shared.layer, shared.head)
        self.open = next((tab for tab in self._every if tab.id == shared.view), self.open)
        self.open.select(Selection(shared.row, shared.column, shared.toggled))
