"""The catalogue of remote services, and what `openai:NAME` means.

The services are data (`assets/remote.yaml`). Their prices and context windows are in
`lessons/facts.yaml`, with the other dated facts. A fact that no vendor has published is None here,
never a guess.
"""

from __future__ import annotations

import ipaddress
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from tutor import paths
from tutor.errors import UsageError

OWN_KEY = "TUTOR_API_KEY"
"""The environment variable with the key for a server that is not in the catalogue.

No other key is ever sent there: a key belongs to the service that issued it.
"""

BASE_URL = "TUTOR_BASE_URL"
"""The environment variable with the default of `--base-url`."""

_PRICE = re.compile(r"(?P<prompt>[\d.]+) / (?P<answer>[\d.]+) (?P<model>.+)")
_SPEC = re.compile(r"(?P<service>[a-z]+):(?P<name>.*)", re.DOTALL)
_LONGEST_NAME = 200
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
"""A part of a host name between dots. The underscore is not standard, but it is used."""
_LONGEST_HOST = 253


class Dated(msgspec.Struct, frozen=True):
    """A fact with its date and source. `value` is text for people."""

    value: str
    as_of: str
    source: str
    second_hand: bool = False


class Price(msgspec.Struct, frozen=True):
    """US dollars per million tokens of the model that the price list calls `model`."""

    prompt: float
    answer: float
    model: str
    as_of: str
    source: str
    second_hand: bool = False

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Return the US dollars for one answer."""
        return (self.prompt * prompt_tokens + self.answer * answer_tokens) / 1_000_000


class ServiceCard(msgspec.Struct, frozen=True):
    """The published facts about a service.

    `price` and `context` are about `model`. `alternatives` is the most alternatives that the
    service returns for one token, None if that is not documented.
    """

    id: str
    product: str
    adapter: str
    base_url: str
    key_variables: tuple[str, ...]
    model: str | None
    price: Price | None
    context: Dated | None
    alternatives: int | None
    as_of: str
    source: str


class RemoteModel(msgspec.Struct, frozen=True):
    """One model of one service: what `--model openai:NAME` names."""

    service: ServiceCard
    name: str

    @property
    def spec(self) -> str:
        """The model's name on the command line, without `--base-url`."""
        prefix = "openai" if self.service.id == OWN else self.service.id
        return f"{prefix}:{self.name}"

    @property
    def host(self) -> str:
        """The machine that text is sent to, with its port if that is not the default."""
        return _host(self.service.base_url)

    @property
    def here(self) -> bool:
        """Return whether the host is this machine, so that text sent there does not leave it."""
        return is_loopback(self.service.base_url)

    @property
    def encrypted(self) -> bool:
        return urlsplit(self.service.base_url).scheme == "https"

    @property
    def price(self) -> Price | None:
        """The price, which is known only for the model that the price list names."""
        return self.service.price if self.name == self.service.model else None


OWN = "own"
"""The id of a service that is not in the catalogue: a server named with `--base-url`."""


def is_remote(spec: str | None) -> bool:
    """Return whether this specifies a remote model. None stands for the value of TUTOR_MODEL."""
    spec = spec or os.environ.get("TUTOR_MODEL") or ""
    found = _SPEC.fullmatch(spec)
    return found is not None and found["service"] in {card.id for card in catalogue()}


def remote_model(spec: str | None, base_url: str | None = None) -> RemoteModel:
    """Return the model that `openai:NAME`, `claude:NAME` or `gemini:NAME` names.

    Without a name, this is the service's default model. A `base_url` of None stands for the value
    of TUTOR_BASE_URL, which applies only to `openai:`. Raises `UsageError` for an invalid
    specification.
    """
    spec = spec or os.environ.get("TUTOR_MODEL") or ""
    found = _SPEC.fullmatch(spec)
    cards = {card.id: card for card in catalogue()}
    if not found or found["service"] not in cards:
        raise UsageError(
            f"{spec!r} does not name a remote model.",
            f"Write {_choices(cards)} and a model's name.",
        )
    card, name = cards[found["service"]], found["name"].strip()
    if given := (base_url or (os.environ.get(BASE_URL) if card.id == "openai" else None)):
        card = _at(given, card)
    if not name and card.model is None:
        raise UsageError(
            f"No model of {card.product} is named.", f"Write a name after the colon: {spec}NAME."
        )
    name = name or card.model or ""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"{name[:60]!r} is not a model's name.", "Check it for invisible characters."
        )
    return RemoteModel(card, name)


@cache
def catalogue() -> tuple[ServiceCard, ...]:
    """Return all services in this version's catalogue, in the order of the file."""
    facts = {fact["id"]: fact for fact in _yaml(paths.lessons_folder() / "facts.yaml")}
    return tuple(_card(entry, facts) for entry in _yaml(paths.assets_folder() / "remote.yaml"))


def is_loopback(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _at(base_url: str, card: ServiceCard) -> ServiceCard:
    """Return the service at this address, from the catalogue if its host is there.

    Any other address belongs to a service of its own. Raises `UsageError`.
    """
    address = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        wrong = parts.scheme not in ("http", "https") or not _is_machine(parts.hostname or "")
        wrong = wrong or (parts.port is not None and not parts.port)
    except ValueError:
        wrong = True
    wrong = wrong or not address.isprintable() or any(char in " \\" for char in address)
    if wrong or parts.username or parts.query or parts.fragment:
        raise UsageError(
            "The base URL is not the address of a server.",
            "Write it like http://127.0.0.1:8000/v1, without user name, key or question mark.",
        )
    for known in catalogue():
        if _host(known.base_url) == _host(address) and parts.scheme == "https":
            return msgspec.structs.replace(known, adapter=card.adapter, base_url=address)
    return ServiceCard(
        id=OWN,
        product=_host(address),
        adapter=card.adapter,
        base_url=address,
        key_variables=(OWN_KEY,),
        model=None,
        price=None,
        context=None,
        alternatives=None,
        as_of="",
        source="",
    )


def _is_machine(name: str) -> bool:
    """Return whether this is a valid host name or IP address."""
    if ":" in name or name.replace(".", "").isdigit():
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
    return len(name) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, name.rstrip(".").split(".")))


def _card(entry: dict[str, Any], facts: dict[str, dict[str, str]]) -> ServiceCard:
    context = facts.get(entry.pop("context", ""))
    price = facts.get(entry.pop("price", ""))
    return msgspec.convert(
        {"alternatives": None} | entry | {"context": context, "price": price and _price(price)},
        ServiceCard,
        strict=False,
    )


def _price(fact: dict[str, str]) -> dict[str, Any] | None:
    found = _PRICE.fullmatch(fact["value"])
    return {**fact, **found.groupdict()} if found else None


def _yaml(file: Path) -> Any:
    entries = yaml.load(
        file.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    for entry in entries:
        if "second-hand" in entry:
            entry["second_hand"] = entry.pop("second-hand")
    return entries


def _host(url: str) -> str:
    parts = urlsplit(url)
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    return shown if parts.port is None else f"{shown}:{parts.port}"


def _choices(cards: dict[str, ServiceCard]) -> str:
    return " or ".join(f"{id_}:" for id_ in cards)
