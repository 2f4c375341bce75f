"""List the known remote services, and parse model names such as `openai:NAME`.

The services are in `assets/remote.yaml`. Their prices and context windows are in
`lessons/facts.yaml`, together with other facts that have a date. A fact that the vendor has not
published is None, never a guess.
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

from tutor import paths
from tutor.errors import UsageError

OWN_KEY = "TUTOR_API_KEY"
"""The environment variable with the API key for a server that is not in the catalogue.

No other key is ever sent to such a server, because a key is only for the service that issued it.
"""

BASE_URL = "TUTOR_BASE_URL"
"""The environment variable with the server's address, which `--base-url` also sets."""

_OF = "TUTOR_BASE_URL_OF"
"""The environment variable that names the service whose address is in BASE_URL.

By default, this is "openai".

Only `--base-url` sets it to another service, for the child processes of a command.
"""

_PRICE = re.compile(r"(?P<prompt>[\d.]+) / (?P<answer>[\d.]+) (?P<model>.+)")
_SPEC = re.compile(r"(?P<service>[a-z]+):(?P<name>.*)", re.DOTALL)
_LONGEST_NAME = 200
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
"""A pattern for one label of a host name.

Underscores don't conform to the standard, but some hosts use them.
"""
_LONGEST_HOST = 253


class Dated(msgspec.Struct, frozen=True):
    """A fact with its date and source. `value` is text to display."""

    value: str
    as_of: str
    source: str
    second_hand: bool = False


class Price(msgspec.Struct, frozen=True):
    """The price in US dollars per million tokens.

    `model` is the name of the model in the vendor's price list.
    """

    prompt: float
    answer: float
    model: str
    as_of: str
    source: str
    second_hand: bool = False

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Return the cost of one response in US dollars."""
        return (self.prompt * prompt_tokens + self.answer * answer_tokens) / 1_000_000


class ServiceCard(msgspec.Struct, frozen=True):
    """The published facts about a service.

    `price` and `context` are for the model `model`. `alternatives` is the maximum number of
    alternatives per token that the service returns, or None if the vendor does not document it.
    `compatible` is the base URL for OpenAI's API if the service offers it in addition to its own
    API, or empty.
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
    compatible: str = ""


class RemoteModel(msgspec.Struct, frozen=True):
    """A model of a remote service, as named by `--model openai:NAME`."""

    service: ServiceCard
    name: str

    @property
    def spec(self) -> str:
        """Return the name of the model as on the command line, without `--base-url`."""
        prefix = self.service.adapter if self.service.id == OWN else self.service.id
        return f"{prefix}:{self.name}"

    @property
    def host(self) -> str:
        """Return the host to which text is sent, with the port if the base URL has one."""
        return _host(self.service.base_url)

    @property
    def here(self) -> bool:
        """Return True if the server runs on this machine. Text then does not leave the machine."""
        return is_loopback(self.service.base_url)

    @property
    def encrypted(self) -> bool:
        return urlsplit(self.service.base_url).scheme == "https"

    @property
    def price(self) -> Price | None:
        """Return the price if this is the model in the price list, and None otherwise."""
        return self.service.price if self.name == self.service.model else None


OWN = "own"
"""The id of a service that is not in the catalogue but is given by `--base-url`."""


def is_remote(spec: str | None) -> bool:
    """Return True if `spec` names a remote model. By default, `spec` is TUTOR_MODEL."""
    spec = spec or os.environ.get("TUTOR_MODEL") or ""
    found = _SPEC.fullmatch(spec)
    return found is not None and found["service"] in {card.id for card in catalogue()}


def remote_model(spec: str | None, base_url: str | None = None) -> RemoteModel:
    """Return the model that `openai:NAME`, `claude:NAME` or `gemini:NAME` names.

    Without a name, this is the service's default model. By default, `spec` is TUTOR_MODEL and
    `base_url` is `base_url_of` the service. Raises `UsageError` if `spec` is invalid.
    """
    spec = spec or os.environ.get("TUTOR_MODEL") or ""
    found = _SPEC.fullmatch(spec)
    cards = {card.id: card for card in catalogue()}
    if not found or found["service"] not in cards:
        raise UsageError(
            f"{spec!r} does not specify a remote model.",
            f"Write {_choices(cards)} followed by a model's name.",
        )
    named, name = cards[found["service"]], found["name"].strip()
    given = base_url or base_url_of(named.id)
    card = _at(given, named) if given else named
    # At another address, Claude and Gemini keep their default model, because a gateway offers it
    # under the same name. `openai:` has no default there, because a self-hosted server has no GPT
    # model.
    name = name or card.model or (named.model if named.id != "openai" else None) or ""
    if not name:
        raise UsageError(
            f"{card.product} has no default model.", f"Add the model's name: {spec}NAME."
        )
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"{name[:60]!r} is not a valid model name.", "Check it for invisible characters."
        )
    return RemoteModel(card, name)


def base_url_of(service: str) -> str | None:
    """Return the address that TUTOR_BASE_URL or `--base-url` sets for this service, or None."""
    return os.environ.get(BASE_URL) if service == os.environ.get(_OF, "openai") else None


def use_base_url(base_url: str, spec: str | None) -> None:
    """Use this address for the service of `spec`, in this process and its children.

    By default, `spec` is TUTOR_MODEL. Raises `UsageError` if it does not name a remote model,
    because tutor would then never use this address.
    """
    if not is_remote(spec):
        raise UsageError(
            "--base-url works only with a remote model.",
            "Name a model of the server, such as --model openai:NAME, or leave out --base-url.",
        )
    service = (spec or os.environ.get("TUTOR_MODEL") or "").partition(":")[0]
    os.environ.update({BASE_URL: base_url, _OF: service})


def base_url_variables() -> dict[str, str]:
    """Return the environment variables that set an address, for a child process."""
    return {name: os.environ[name] for name in (BASE_URL, _OF) if name in os.environ}


@cache
def catalogue() -> tuple[ServiceCard, ...]:
    """Return all services in the catalogue, in the order of the file."""
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
    """Return the service at `base_url`, which is found in the catalogue by its host.

    For any other host, return a new service with the id `OWN`, which never gets the key of `card`.
    Raises `UsageError` if the address is invalid.
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
            "The base URL is not a valid server address.",
            "Write it like http://127.0.0.1:8000/v1, without a user name, key or query string.",
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
        alternatives=card.alternatives,
        as_of="",
        source="",
    )


def _is_machine(name: str) -> bool:
    """Return True if `name` is a valid host name or IP address."""
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
    import yaml  # Most processes never read these files.

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
