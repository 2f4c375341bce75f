"""Which remote services there are, and what `openai:NAME` means.

The services are data (`assets/remote.yaml`), their prices and context windows stand with the other
dated facts in `lessons/facts.yaml`. What nobody has published is None here, never a guess.
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
"""The variable with the key of a server that is not in the catalogue. Other keys never go there:
a key belongs to the service that it was made for."""

BASE_URL = "TUTOR_BASE_URL"
"""The variable that says what `--base-url` says."""

_PRICE = re.compile(r"(?P<prompt>[\d.]+) / (?P<answer>[\d.]+) (?P<model>.+)")
_SPEC = re.compile(r"(?P<service>[a-z]+):(?P<name>.*)", re.DOTALL)
_LONGEST_NAME = 200
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
"""A part of a host name between dots; the underscore is none by the books, and is used."""
_LONGEST_HOST = 253


class Dated(msgspec.Struct, frozen=True):
    """A fact as the course has it: `value` is text for people."""

    value: str
    as_of: str
    source: str
    second_hand: bool = False


class Price(msgspec.Struct, frozen=True):
    """US dollars for a million tokens, of the model that the price list calls `model`."""

    prompt: float
    answer: float
    model: str
    as_of: str
    source: str
    second_hand: bool = False

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """US dollars for one answer."""
        return (self.prompt * prompt_tokens + self.answer * answer_tokens) / 1_000_000


class ServiceCard(msgspec.Struct, frozen=True):
    """What is known of a service beforehand. `model` is the one that `price` and `context` are
    about; `alternatives` is the most that it tells for one token, None where nobody says."""

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
        """What names it on the command line, `--base-url` aside."""
        prefix = "openai" if self.service.id == OWN else self.service.id
        return f"{prefix}:{self.name}"

    @property
    def host(self) -> str:
        """The machine that texts go to, with its port where that is not the usual one."""
        return _host(self.service.base_url)

    @property
    def here(self) -> bool:
        """Whether that is this machine: a text sent there does not leave it."""
        return is_loopback(self.service.base_url)

    @property
    def encrypted(self) -> bool:
        return urlsplit(self.service.base_url).scheme == "https"

    @property
    def price(self) -> Price | None:
        """Known for the model that the price list is about, and for no other."""
        return self.service.price if self.name == self.service.model else None


OWN = "own"
"""The id of a service that is in no catalogue: a server named with `--base-url`."""


def is_remote(spec: str | None) -> bool:
    """Whether this is a specification of a remote model; None asks TUTOR_MODEL."""
    spec = spec or os.environ.get("TUTOR_MODEL") or ""
    found = _SPEC.fullmatch(spec)
    return found is not None and found["service"] in {card.id for card in catalogue()}


def remote_model(spec: str | None, base_url: str | None = None) -> RemoteModel:
    """The model that `openai:NAME`, `claude:NAME` or `gemini:NAME` names; without a name, the
    service's default one. `base_url` None asks TUTOR_BASE_URL, which counts for `openai:` alone.

    Raises `UsageError` for what names none.
    """
    spec = spec or os.environ.get("TUTOR_MODEL") or ""
    found = _SPEC.fullmatch(spec)
    cards = {card.id: card for card in catalogue()}
    if not found or found["service"] not in cards:
        raise UsageError(
            f"{spec!r} names no remote model.", f"Write {_choices(cards)}, and the model's name."
        )
    card, name = cards[found["service"]], found["name"].strip()
    if given := (base_url or (os.environ.get(BASE_URL) if card.id == "openai" else None)):
        card = _at(given, card)
    if not name and card.model is None:
        raise UsageError(
            f"Which model of {card.product}?", f"Write its name behind the colon: {spec}NAME."
        )
    name = name or card.model or ""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"{name[:60]!r} is no name of a model.", "Check it for what is invisible.")
    return RemoteModel(card, name)


@cache
def catalogue() -> tuple[ServiceCard, ...]:
    """All services that come with this version, in the file's order."""
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
    """The service at this address: one of the catalogue where the host is its own, else a server
    of somebody's. Raises `UsageError`."""
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
            "The base URL is no address of a server.",
            "It looks like http://127.0.0.1:8000/v1, without a name, a key or a question mark.",
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
    """Whether this can be the name of a machine on the network, or its address."""
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
