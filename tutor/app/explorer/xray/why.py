"""The views that explain a prediction: a ranked list, a map, and the tokens of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.explorer.xray.inside import AskAttribution, AskOcclusion, AskSources
from tutor.app.explorer.xray.tab import Selection, Tab, moved
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.layout import first_that_fits
from tutor.labs.kit import heat
from tutor.labs.kit.attribution.parts_map import map_lines
from tutor.labs.kit.attribution.ranked_list import ranked_lines
from tutor.labs.kit.attribution.token_table import TokenEffects, legend, token_lines
from tutor.labs.kit.attribution.words import part_line, signed, sources_line
from tutor.labs.kit.columns import Room, around
from tutor.language import _
from tutor.lm.attribution import Part
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request
    from tutor.lm.distribution import Token
    from tutor.lm.saved_steering import Applied

EXPLAIN = frozenset({"explain", "remove", "reset"})
"""The actions that choose which token is explained."""


class ExplainingTab(Tab):
    """A view that explains the logit of one token, or the difference between two."""

    def applies(self, action: str, found: Findings | None) -> bool:
        if action == "remove":
            return found is not None and found.against is not None
        if action == "reset":
            return found is not None and found.explains_another
        if action == "open":
            return self._opens(found)
        if action == "ignore":
            return "open" in self.actions and not self._opens(found)
        return super().applies(action, found)

    def _opens(self, found: Findings | None) -> bool:
        return found is not None and self.ready(found) and self.head(found) is not None

    def ready(self, found: Findings) -> bool:
        return found.attribution is not None

    def missing(self, found: Findings) -> Request | None:
        return AskAttribution() if found.attribution is None else None

    def heading(self, found: Findings, width: int) -> Content:
        attribution = found.attribution
        assert attribution is not None
        target = (figures.shown(attribution.target), "bold")
        after = _("  after {name}").format(name=figures.shown(found.token))
        logit = ("  " + _("logit {logit:.2f}").format(logit=attribution.logit), MUTED)
        start = Content.assemble((_("why "), MUTED), target)
        if attribution.against is not None:
            other = (figures.shown(attribution.against), "bold")
            start = Content.assemble(start, (_(" rather than "), MUTED), other)
            logit = (f"  {signed(attribution.logit)}", "bold")
        full = Content.assemble(start, (after, MUTED), logit)
        return full if full.cell_length <= width else Content.assemble(start, logit)


class WhyTab(ExplainingTab):
    """The ranked list of all contributions to the target logit."""

    id = "why"
    name = _("why")
    actions: ClassVar = EXPLAIN | {"row", "open"}

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._at = 0

    def begin(self) -> None:
        self._at = 0

    @property
    def selection(self) -> Selection:
        return Selection(self._at)

    def select(self, selection: Selection) -> None:
        self._at = selection.row or 0

    def head(self, found: Findings) -> Part | None:
        assert found.attribution is not None
        ranked = found.attribution.contributions
        part = ranked[moved(self._at, 0, len(ranked))].part
        return None if part.head is None else part

    def missing(self, found: Findings) -> Request | None:
        return super().missing(found) or _sources_of(self.head(found), found)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        attribution = found.attribution
        assert attribution is not None
        ranked = attribution.contributions
        at = moved(self._at, 0, len(ranked))
        table = ranked_lines(attribution, ranked, at, Room(room.width, room.height - 1))
        return [*table, _from_tokens(ranked[at].part, found, room.width)]

    def move(self, found: Findings, what: str, by: int) -> None:
        if found.attribution is not None:
            self._at = moved(self._at, by, len(found.attribution.contributions))


class MapTab(ExplainingTab):
    """The contributions as a map of layers and heads, with a column of feed-forward networks."""

    id = "map"
    name = _("map")
    actions: ClassVar = EXPLAIN | {"layer", "part", "open"}

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._at: Part | None = None

    def begin(self) -> None:
        self._at = None

    @property
    def selection(self) -> Selection:
        return Selection() if self._at is None else Selection(self._at.layer, self._at.head)

    def select(self, selection: Selection) -> None:
        self._at = None if selection.row is None else Part(selection.row, selection.column)

    def part(self, found: Findings) -> Part:
        """Return the selected part. At first, this is the head shown in the attention view."""
        part = self._at or Part(self.chosen.layer, self.chosen.head)
        if found.attribution is None or part.layer is None:
            return part
        layers, heads = len(found.attribution.heads), len(found.attribution.heads[0])
        head = None if part.head is None else moved(part.head, 0, heads)
        return Part(moved(part.layer, 0, layers), head)

    def head(self, found: Findings) -> Part | None:
        part = self.part(found)
        return None if part.head is None else part

    def missing(self, found: Findings) -> Request | None:
        return super().missing(found) or _sources_of(self.head(found), found)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        attribution, part = found.attribution, self.part(found)
        assert attribution is not None
        low = room.low
        below = [
            part_line(attribution, part, room.width),
            _from_tokens(part, found, room.width),
        ]
        if not low:
            below.append(Content.styled(heat.signed_legend(room.width), MUTED))
        table = Room(room.width, max(2, room.height - len(below)))
        return [*map_lines(attribution, part, table), *below]

    def move(self, found: Findings, what: str, by: int) -> None:
        attribution, part = found.attribution, self.part(found)
        if attribution is None or part.layer is None:
            return
        layers, heads = len(attribution.heads), len(attribution.heads[0])
        if what == "layer":
            self._at = Part(moved(part.layer, by, layers), part.head)
        else:
            column = moved(heads if part.head is None else part.head, by, heads + 1)
            self._at = Part(part.layer, None if column == heads else column)


class TokensTab(ExplainingTab):
    """A table with each token's contribution through the heads, and the effect of removing it."""

    id = "tokens"
    name = _("tokens")
    actions: ClassVar = EXPLAIN | {"row"}

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._at: int | None = None
        self._visible: range = range(0)
        """The tokens that were drawn last."""

    def begin(self) -> None:
        self._at = None

    @property
    def selection(self) -> Selection:
        return Selection(self._at)

    def select(self, selection: Selection) -> None:
        self._at = selection.row

    def at(self, found: Findings) -> int:
        """Return the index of the selected token. At first, this is the second-to-last token."""
        return max(0, found.position - 1) if self._at is None else min(self._at, found.position)

    def missing(self, found: Findings) -> Request | None:
        attribution = found.attribution
        if attribution is None:
            return AskAttribution()
        if left := self._layers_left(found):
            return AskSources(len(attribution.heads) - left)
        unknown = (each for each in self._removable(found) if each not in found.occlusions)
        return next((AskOcclusion(index) for index in unknown), None)

    def _removable(self, found: Findings) -> Sequence[int]:
        """Return the indexes of the visible tokens, except for the last token of the text."""
        return [index for index in self._visible if index < found.position]

    def lines(self, found: Findings, room: Room) -> list[Content]:
        effects = TokenEffects(found.tokens, found.direct, found.occlusions)
        below = [self._said(found, room.width)]
        if not room.low:
            below.append(Content.styled(legend(), MUTED))
        table = Room(room.width, room.height - len(below))
        at = self.at(found)
        self._visible = around(at, len(found.tokens), table.height - 1)
        return [*token_lines(effects, at, table), *below]

    def _said(self, found: Findings, width: int) -> Content:
        """Describe the effect of removing the selected token, or the computation's progress."""
        at, removable = self.at(found), self._removable(found)
        name, without = figures.shown(found.path[at]), found.occlusions.get(at)
        done, count = sum(index in found.occlusions for index in removable), len(removable)
        assert found.attribution is not None
        if at == found.position:
            said = _("The last token is never removed.")
        elif without is not None:
            said = _without(name, found.attribution.target, without.probability, width)
        elif (layers := self._layers_left(found)) > 0:
            said = _("adding up the heads: {count} left").format(count=counted(layers, "layer"))
        else:
            said = _("removing single tokens: {done} of {count}").format(done=done, count=count)
        if without is not None and done < count:
            said += f"  {done}/{count}"
        return Content.styled(figures.fit(said, width).rstrip(), MUTED)

    def _layers_left(self, found: Findings) -> int:
        assert found.attribution is not None
        layers = range(len(found.attribution.heads))
        return sum((layer, None) not in found.sources for layer in layers)

    def move(self, found: Findings, what: str, by: int) -> None:
        self._at = moved(self.at(found), by, found.position + 1)


def _without(name: str, target: Token, probability: float, width: int) -> str:
    """Say how probable the target token is without the token called `name`."""
    said = [
        _("Without “{name}”, the probability of “{target}” is {probability}."),
        _("Without “{name}”: “{target}” {probability}"),
    ]
    shown, percent = figures.shown(target), figures.percent(probability)
    texts = [each.format(name=name, target=shown, probability=percent) for each in said]
    return first_that_fits(texts, width) or percent


def _sources_of(part: Part | None, found: Findings) -> Request | None:
    """Return the request for each token's contribution through a head, unless it is known."""
    if part is None or part.layer is None or part.head is None:
        return None
    key = part.layer, part.head
    return None if key in found.sources else AskSources(*key)


def _from_tokens(part: Part, found: Findings, width: int) -> Content:
    if _contains_vector(part, found.network.steering):
        said = [
            _("This contains the steering vector, which is added after the layer."),
            _("This contains the steering vector."),
        ]
        return Content.styled(first_that_fits(said, width), MUTED)
    sources = None if part.layer is None else found.sources.get((part.layer, part.head))
    return sources_line(found.tokens, sources, part, width)


def _contains_vector(part: Part, steering: Applied | None) -> bool:
    """Return True if a part's contribution includes the steering vector's contribution.

    The vector is added to the output of a block's feed-forward network.
    """
    return steering is not None and part == Part(steering.vector.layer)
