"""The x-ray in plain mode: the tokens that a token attends to, and each layer's prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain import words
from tutor.plain.place import Command, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.distribution import Token, XRay
    from tutor.plain.place import AskXRay, Services

FEW = 5
"""The maximum number of tokens to print for an attention head, highest weights first."""
FEW_LAYERS = 6
"""The number of layers of the logit lens to print, unless the learner asks for all of them."""


class XRayPlace(Place):
    """The x-ray of one token: the attention weights of one head, and the logit lens.

    The learner can select another head, layer or token.
    """

    def __init__(
        self, services: Services, path: Sequence[Token], position: int, ask: AskXRay
    ) -> None:
        super().__init__(services)
        self._path, self._position, self._ask = tuple(path), position, ask
        self._xray: XRay | None = None
        self._layer = self._head = 0

    @property
    def title(self) -> str:
        name = self._name(self._position)
        return _("X-ray of token {position} of {count}, {name}.").format(
            position=self._position + 1, count=len(self._path), name=name
        )

    async def begin(self) -> None:
        self.say(self.title)
        await self._say_attention()
        await self._say_lens(FEW_LAYERS)

    def _name(self, position: int) -> str:
        return words.token(self._path[position])

    async def _seen(self) -> XRay:
        """Return an x-ray of the token that contains the selected layer's attention."""
        found = self._xray
        if found is None or found.position != self._position or self._layer not in found.held:
            found = self._xray = await self._ask(self._path, self._position, self._layer)
        return found

    async def _say_attention(self) -> None:
        xray = await self._seen()
        self.say(
            _("Attention in layer {layer} of {layers}, head {head}.").format(
                layer=self._layer + 1, layers=xray.layers, head=self._head + 1
            )
        )
        weights = xray.weights(self._layer, self._head)
        for at in sorted(range(len(weights)), key=lambda at: -weights[at])[:FEW]:
            self.say(
                _("To token {at}, {name}: {probability}.").format(
                    at=at + 1, name=self._name(at), probability=words.percent(weights[at])
                )
            )

    async def _say_lens(self, count: int) -> None:
        xray = await self._seen()
        target, rows = words.token(xray.target), xray.lens
        self.say(_("Logit lens. The token that comes next is {target}.").format(target=target))
        chosen = {round(step * (len(rows) - 1) / (count - 1)) for step in range(count)}
        for row in (rows[at] for at in sorted(chosen)):
            says = f"{words.token(row.top)}, {words.percent(row.top_probability)}"
            target_says = _("{target} has {probability}").format(
                target=target, probability=words.percent(row.target_probability)
            )
            more = "" if row.top == xray.target else f" {target_says}."
            self.say(
                _("After layer {layer}: {says}.{more}").format(
                    layer=row.layer, says=says, more=more
                )
            )

    # --- commands ------------------------------------------------------------------------------

    def commands(self) -> Sequence[Command]:
        return (
            Command("attention", "Hear what the selected head attends to.", self._attention),
            Command("layer", "Select a layer.", self._choose_layer, "NUMBER"),
            Command("head", "Select a head.", self._choose_head, "NUMBER"),
            Command(
                "heads", "Hear which token each head in this layer attends to most.", self._heads
            ),
            Command("lens", "Hear what every layer predicts.", self._lens),
            Command("token", "Go to a token of the text.", self._token, "NUMBER"),
            Command("next", "Go to the next token.", self._next),
            Command("previous", "Go to the previous token.", self._previous),
        )

    async def _attention(self, rest: str) -> None:
        await self._say_attention()

    async def _choose_layer(self, rest: str) -> None:
        layers = (await self._seen()).layers
        if (layer := self._number("layer", rest, layers)) is not None:
            self._layer = layer
            await self._say_attention()

    async def _choose_head(self, rest: str) -> None:
        heads = (await self._seen()).heads
        if (head := self._number("head", rest, heads)) is not None:
            self._head = head
            await self._say_attention()

    def _number(self, word: str, rest: str, most: int) -> int | None:
        """Return the index that the learner typed, counted from 0, or None if it is invalid."""
        if rest.isdecimal() and 1 <= int(rest) <= most:
            return int(rest) - 1
        self.say(_("Type {word} and a number from 1 to {most}.").format(word=word, most=most))
        return None

    async def _heads(self, rest: str) -> None:
        xray = await self._seen()
        self.say(
            _("The heads of layer {layer}, each with the token that it attends to most.").format(
                layer=self._layer + 1
            )
        )
        for head in range(xray.heads):
            weights = xray.weights(self._layer, head)
            at = max(range(len(weights)), key=lambda at: weights[at])
            said = _("token {at}, {name}, {probability}").format(
                at=at + 1, name=self._name(at), probability=words.percent(weights[at])
            )
            self.say(_("Head {head}: {said}.").format(head=head + 1, said=said))

    async def _lens(self, rest: str) -> None:
        await self._say_lens(len((await self._seen()).lens))

    async def _token(self, rest: str) -> None:
        if (position := self._number("token", rest, len(self._path))) is not None:
            self._position = position
            await self.begin()

    async def _next(self, rest: str) -> None:
        await self._token(str(self._position + 2))

    async def _previous(self, rest: str) -> None:
        await self._token(str(self._position))
