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
from tutor.app.model import consent_text
from tutor.app.theme import MUTED, NOT_YET
from tutor.app.widgets.layout import hanging
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.allowed import Allowed
    from tutor.engine.api import Engine
    from tutor.vendors.catalogue import RemoteModel

_LABEL = 7


class ConsentScreen(TextScreen):
    """A screen that asks for consent to send text to a host.

    `what` is a phrase that describes the text, such as "your message to all models". `decided` is
    called once with the decision. If the learner leaves the screen without a decision, they have
    not consented.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "y",
            "agree",
            "yes, send it",
            tooltip="Allow sending text to this host until you quit tutor.",
        ),
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
        self.leave()

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
    lines = [Content.styled(consent_text.HEADING, "bold"), Content("")]
    for label, text, strong in consent_text.facts(model, what):
        style = NOT_YET if label == "!" else "bold"
        content = Content.assemble((strong, style), text.removeprefix(strong))
        lines.append(hanging(Content.styled(f"{label:<{_LABEL}}", MUTED), content, width))
    asked = Content.styled(consent_text.ONCE, MUTED)
    return [*lines, Content(""), hanging(Content(""), asked, width)]
