"""The x-ray in plain mode: attention, each layer's prediction, and contributions to a logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer.xray.inside import (
    AskAttribution,
    AskSources,
    AskXRay,
    ChosenHead,
    Findings,
)
from tutor.app.spoken import part as part_name
from tutor.language import _
from tutor.plain import words
from tutor.plain.place import Command, Place
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.xray.inside import Inside
    from tutor.lm.attribution import Attribution, Contribution
    from tutor.lm.distribution import Token, XRay
    from tutor.plain.place import Services

FEW = 5
"""The maximum number of tokens to print for an attention head, highest weights first."""
FEW_LAYERS = 6
"""The number of layers of the logit lens to print, unless the learner asks for all of them."""
FEW_PARTS = 8
"""The number of contributions to print, the largest first."""


class XRayPlace(Place):
    """The x-ray of one token: a head's attention, the logit lens, and contributions to a logit.

    The learner can select another head, layer or token, and another token to explain.
    """

    def __init__(
        self, services: Services, path: Sequence[Token], position: int, inside: Inside
    ) -> None:
        super().__init__(services)
        self._inside = inside
        self._found = Findings.at(path, position, inside.network)
        self._chosen = ChosenHead()

    @property
    def title(self) -> str:
        position, path = self._found.position, self._found.path
        return _("X-ray of token {position} of {count}, {name}.").format(
            position=position + 1, count=len(path), name=self._name(position)
        )

    async def begin(self) -> None:
        self.say(self.title)
        if (steering := self._found.network.steering) is not None:
            said = _("The network is steered: {said}.")
            self.say(said.format(said=steering.said))
        await self._say_attention()
        await self._say_lens(FEW_LAYERS)

    def _name(self, position: int) -> str:
        return words.token(self._found.path[position])

    async def _seen(self) -> XRay:
        """Return an x-ray of the token, including the attention weights of the selected layer."""
        found = self._found
        await self._explained()
        if found.xray is None or self._chosen.layer not in found.xray.held:
            await AskXRay(self._chosen.layer).run(self._inside, found)
        assert found.xray is not None
        return found.xray

    async def _explained(self) -> Attribution:
        """Return the contributions to the target logit, and suggest the strongest head."""
        found = self._found
        if found.attribution is None:
            await AskAttribution().run(self._inside, found)
        assert found.attribution is not None
        self._chosen.suggest(found.attribution)
        return found.attribution

    async def _say_attention(self) -> None:
        xray, layer, head = await self._seen(), self._chosen.layer, self._chosen.head
        self.say(
            _("Attention in layer {layer} of {layers}, head {head}.").format(
                layer=layer + 1, layers=xray.layers, head=head + 1
            )
        )
        weights = xray.weights(layer, head)
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

    async def _say_why(self) -> None:
        found = await self._explained()
        target, logit = words.token(found.target), f"{found.logit:.2f}"
        ranked = found.contributions
        if found.against is None:
            said = _(
                "The logit of {target} is {logit}. It is the sum of what {parts} of the network "
                "contribute. The largest contributions are:"
            )
        else:
            said = _(
                "The logit of {target} minus the logit of {against} is {logit}. It is the sum of "
                "what {parts} of the network contribute. The largest contributions are:"
            )
        against = "" if found.against is None else words.token(found.against)
        parts = counted(len(ranked), "part")
        self.say(said.format(target=target, against=against, logit=logit, parts=parts))
        for each in ranked[:FEW_PARTS]:
            self.say(await self._contribution(each))
        rest = sum(each.logits for each in ranked[FEW_PARTS:])
        self.say(_("Sum of all other parts: {logits}.").format(logits=f"{rest:+.2f}"))

    async def _contribution(self, each: Contribution) -> str:
        """Return a sentence about one part's contribution.

        For a head, it names the token from which most of the contribution comes.
        """
        part, logits = each.part, f"{each.logits:+.2f}"
        name = part_name(part)
        name = name[:1].upper() + name[1:]
        if part.layer is None or part.head is None:
            return f"{name}: {logits}."
        key = part.layer, part.head
        if key not in self._found.sources:
            await AskSources(*key).run(self._inside, self._found)
        sources = self._found.sources[key]
        most = max(range(len(sources)), key=lambda at: abs(sources[at]))
        return _("{part}: {logits}, most of it from token {number}, {name}.").format(
            part=name, logits=logits, number=most + 1, name=self._name(most)
        )

    # --- commands ------------------------------------------------------------------------------

    def commands(self) -> Sequence[Command]:
        return (
            Command("attention", "Show what the selected head attends to.", self._attention),
            Command("layer", "Select a layer.", self._choose_layer, "NUMBER"),
            Command("head", "Select a head.", self._choose_head, "NUMBER"),
            Command(
                "heads", "Show which token each head in this layer attends to most.", self._heads
            ),
            Command("lens", "Show what every layer predicts.", self._lens),
            *self._of_experts(),
            Command(
                "why", "Show which parts of the network raise or lower a logit.", self._why, "TOKEN"
            ),
            Command(
                "than",
                "Explain the difference from the logit of another token.",
                self._rather,
                "TOKEN",
            ),
            Command("token", "Go to a token of the text.", self._token, "NUMBER"),
            Command("next", "Go to the next token.", self._next),
            Command("previous", "Go to the previous token.", self._previous),
        )

    def _of_experts(self) -> Sequence[Command]:
        """Return the command that lists the experts of each layer, if the model has experts."""
        if self._found.xray is None or not self._found.xray.routes:
            return ()
        help_ = "Show which experts processed the token in each layer."
        return (Command("experts", help_, self._experts),)

    async def _experts(self, rest: str) -> None:
        xray = await self._seen()
        self.say(
            _("Each layer has {experts} experts. These processed the token:").format(
                experts=xray.experts
            )
        )
        for layer, routed in enumerate(xray.routes, 1):
            said = ", ".join(
                (
                    _("the shared expert with weight {weight}")
                    if each.expert is None
                    else _("expert {expert} with weight {weight}")
                ).format(
                    expert=None if each.expert is None else each.expert + 1,
                    weight=words.percent(each.weight),
                )
                for each in routed
            )
            self.say(_("Layer {layer}: {said}.").format(layer=layer, said=said))

    async def _attention(self, rest: str) -> None:
        await self._say_attention()

    async def _choose_layer(self, rest: str) -> None:
        xray = await self._seen()
        if (layer := self._number("layer", rest, xray.layers)) is not None:
            self._chosen.choose(layer, self._chosen.head, xray.layers, xray.heads)
            await self._say_attention()

    async def _choose_head(self, rest: str) -> None:
        xray = await self._seen()
        if (head := self._number("head", rest, xray.heads)) is not None:
            self._chosen.choose(self._chosen.layer, head, xray.layers, xray.heads)
            await self._say_attention()

    def _number(self, word: str, rest: str, most: int) -> int | None:
        """Return the index that the learner typed, counted from 0, or None if it is invalid."""
        if rest.isdecimal() and 1 <= int(rest) <= most:
            return int(rest) - 1
        self.say(_("Type {word} and a number from 1 to {most}.").format(word=word, most=most))
        return None

    async def _heads(self, rest: str) -> None:
        xray = await self._seen()
        layer = self._chosen.layer
        self.say(
            _("The heads of layer {layer}, each with the token that it attends to most.").format(
                layer=layer + 1
            )
        )
        for head in range(xray.heads):
            weights = xray.weights(layer, head)
            at = max(range(len(weights)), key=lambda at: weights[at])
            said = _("token {at}, {name}, {probability}").format(
                at=at + 1, name=self._name(at), probability=words.percent(weights[at])
            )
            self.say(_("Head {head}: {said}.").format(head=head + 1, said=said))

    async def _lens(self, rest: str) -> None:
        await self._say_lens(len((await self._seen()).lens))

    async def _why(self, rest: str) -> None:
        """Explain the token that the learner has typed, or the current one if nothing was typed."""
        if rest and (target := await self._typed(rest)) is not None:
            self._found = self._found.explaining(target.id, None)
        await self._say_why()

    async def _rather(self, rest: str) -> None:
        against = await self._typed(rest) if rest else None
        explained = (await self._explained()).target
        if against is None:
            self.say(_("Type than and another token, such as than London."))
        elif against == explained:
            self.say(_("This is the token that is being explained. Type a different one."))
        else:
            self._found = self._found.explaining(explained.id, against.id)
            await self._say_why()

    async def _typed(self, text: str) -> Token | None:
        """Return the token that the learner has typed. Its leading space may be left out."""
        found = self._found
        rows, said = await self._inside.candidates(found.path, found.position, text, 1)
        if said:
            self.say(said)
        return rows[0].token if rows else None

    async def _token(self, rest: str) -> None:
        path = self._found.path
        if (position := self._number("token", rest, len(path))) is not None:
            self._found = Findings.at(path, position, self._inside.network, before=self._found)
            await self.begin()

    async def _next(self, rest: str) -> None:
        await self._token(str(self._found.position + 2))

    async def _previous(self, rest: str) -> None:
        await self._token(str(self._found.position))
