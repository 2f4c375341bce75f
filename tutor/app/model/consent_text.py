"""Describe the data that leaves the machine if the learner agrees to send text to a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.environment import keys_held
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.vendors.catalogue import Price, RemoteModel

HEADING = _("If you agree, this leaves your machine:")
ONCE = _("tutor asks once per host and session. Everything else works without consent.")
STEPPING = _("The whole text or conversation that you step through, with each token that you add")
"""What the stepper and the chat send to a remote model."""


class Fact(NamedTuple):
    """One fact about what would be sent: a label, and one or two sentences.

    `strong` is the beginning of the text, which is emphasized.
    """

    label: str
    text: str
    strong: str = ""


def facts(model: RemoteModel, what: str) -> list[Fact]:
    """Return the facts about sending a text to a model's host.

    `what` is a phrase that describes the text. The first fact names the recipient. A fact with the
    label "!" is a warning.
    """
    product, host = safe(model.service.product), safe(model.host)
    to = host if product == host else _("{product}, at {host}").format(product=product, host=host)
    named = _(": the model {name}").format(name=safe(model.name))
    sent = _("{what}. Your IP address and {key} are also sent.").format(what=what, key=_key(model))
    open_line = _("The connection is not encrypted: others on the network can read what you send.")
    return [
        Fact(_("to"), f"{to}{named}", strong=to),
        Fact(_("what"), sent),
        *([] if model.encrypted else [Fact("!", open_line, strong=open_line)]),
        Fact(_("not"), _("Your progress, your other texts and your name stay on this machine.")),
        Fact(_("cost"), _cost(model.price)),
        Fact(_("then"), _("The service's terms say what it stores and for how long.")),
    ]


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
        return _("Your account may be charged. tutor does not know the price of this model.")
    source = _(", not from the vendor") if price.second_hand else ""
    return _(
        "${prompt:g} per million tokens sent, ${answer:g} per million "
        "received ({model}, as of {as_of}{source})."
    ).format(
        prompt=price.prompt,
        answer=price.answer,
        model=safe(price.model),
        as_of=price.as_of,
        source=source,
    )
