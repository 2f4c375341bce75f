"""Ask the learner for consent before any text is sent to another machine.

The screen shows what is sent, where it is sent, and which API key is used. The learner is asked
once for each host while the program runs. Every request to a remote model requires `agreed`, which
opens the screen if consent is needed (see `tutor.vendors.permissions`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets.layout import hanging
from tutor.environment import keys_held
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.allowed import Allowed
    from tutor.engine.api import Engine
    from tutor.vendors.catalogue import Price, RemoteModel

_LABEL = 7


class ConsentScreen(TextScreen):
    """A screen that asks for consent to send text to a host.

    `what` is a phrase that describes the text, such as "your message to all models". `decided` is
    called once with the decision. If the learner leaves the screen without a decision, they have
    not consented.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", "yes, send it", tooltip="Agree for this host, until you quit tutor."),
        Binding("escape", "back", "cancel", tooltip="Go back without sending anything."),
        *scroll_keys(),
    ]
    DEFAULT_CSS = "ConsentScreen #scrolled { scrollbar-gutter: auto; }"

    def __init__(self, model: RemoteModel, what: str, decided: Callable[[bool], None]) -> None:
        super().__init__()
        self._model = model
        self._what = what
        self._decided: Callable[[bool], None] | None = decided

    def on_mount(self) -> None:
        self.place = _("consent")

    def text(self, width: int) -> list[Content]:
        return describe(self._model, self._what, max(20, min(width, 90)))

    def on_unmount(self) -> None:
        self._decide(False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "scroll" or self.can_scroll

    def action_agree(self) -> None:
        self._decide(True)
        self.app.pop_screen()

    def _decide(self, answer: bool) -> None:
        decided, self._decided = self._decided, None
        if decided is not None:
            decided(answer)


async def agreed(
    engine: Engine,
    remote: RemoteModel | None,
    allowed: Allowed,
    show: Callable[[ConsentScreen], object],
    model: RemoteModel,
    what: str,
) -> bool:
    """Return True if text may be sent to the host of `model`, asking the learner if necessary.

    The learner is asked once for each host, and the screen describes the text with the phrase
    `what`. A server on this machine needs no consent. If this machine does not allow other servers,
    the learner is not asked, and the result is False.

    `remote` is the model that was named on the command line, and `show` opens a screen. Await this
    function in a worker, because it waits for the learner's decision.
    """
    if model != remote and not allowed.other_servers:
        return False
    if not engine.allowed(model):
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def decided(yes: bool) -> None:
            if not answer.done():  # the worker that waits for the decision may have been canceled
                answer.set_result(yes)

        show(ConsentScreen(model, what, decided))
        if not await answer:
            return False
    engine.allow(model)
    return True


def describe(model: RemoteModel, what: str, width: int) -> list[Content]:
    """Describe what would be sent, in lines of at most `width` columns."""
    product = safe(model.service.product)
    host = safe(model.host)
    to = host if product == host else _("{product}, at {host}").format(product=product, host=host)
    parts = [
        (
            _("to"),
            Content.assemble((to, "bold"), _(": the model {name}").format(name=safe(model.name))),
        ),
        (
            "what",
            Content(
                _("{what}. Your IP address and {key} are also sent.").format(
                    what=what, key=_key(model)
                )
            ),
        ),
        ("not", Content(_("Your progress, your other texts and your name stay on this machine."))),
        ("cost", Content(_cost(model.price))),
        ("then", Content(_("The service's terms say what it stores and for how long."))),
    ]
    if not model.encrypted:
        said = _("The connection is not encrypted: others on the network can read what you send.")
        parts.insert(2, ("!", Content.styled(said, NOT_YET)))
    lines = [Content.styled(_("If you agree, this leaves your machine:"), "bold"), Content("")]
    for label, content in parts:
        lines.append(hanging(Content.styled(f"{label:<{_LABEL}}", MUTED), content, width))
    asked = _("tutor asks once per host and session. Everything else works without consent.")
    return [*lines, Content(""), hanging(Content(""), Content.styled(asked, MUTED), width)]


def _key(model: RemoteModel) -> str:
    held = keys_held()
    name = next((name for name in model.service.key_variables if name in held), None)
    return (
        _("the key in {name}").format(name=name)
        if name
        else _("a key from your keyring, if it has one,")
    )


def _cost(price: Price | None) -> str:
    if price is None:
        return _("Your account may be charged. tutor has no price for this model.")
    source = _(", not from the vendor") if price.second_hand else ""
    return _(
        "${prompt:g} for a million tokens sent, ${answer:g} for a million "
        "received ({model}, as of {as_of}{source})."
    ).format(
        prompt=price.prompt,
        answer=price.answer,
        model=safe(price.model),
        as_of=price.as_of,
        source=source,
    )
