"""Open the `Service` of a remote model."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from msgspec import structs

from tutor.errors import ClientMissing, KeyMissing
from tutor.installation import install_command
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.keys import Secret
from tutor.vendors.service import Service

_ADAPTERS = {"openai": ("OpenAIService", "remote"), "gemini": ("GeminiService", "gemini")}
"""The class of each adapter, with the extra that installs its client library."""


def open_service(model: RemoteModel, key: Secret | None) -> Service:
    """Return the adapter for this model's service, without sending a request.

    Raises `KeyMissing` if a service in the catalogue has no API key. (Most self-hosted servers need
    no key.) If a service's own client library does not work here, and the service also offers
    OpenAI's API, the adapter for that API is returned. Raises `ClientMissing` if no client library
    is installed.
    """
    card = model.service
    if key is None and card.id != OWN:
        raise KeyMissing(
            f"No API key for {card.product} was found.",
            f"Set {card.key_variables[0]} before you start tutor, or store it in the keyring: "
            f"`keyring set tutor {card.key_variables[0]}`.",
        )
    class_name, extra = _ADAPTERS[card.adapter]
    try:
        adapter = _import_adapter(model)
    except Exception as error:
        if compatible := _compatible(model):
            return open_service(compatible, key)
        if not isinstance(error, ImportError):
            raise
        raise ClientMissing(
            f"The client library for {card.product} is not installed.",
            f"Install it with: {install_command(extra)}.",
        ) from error
    service: Service = getattr(adapter, class_name)(model, key)
    return service


def preload(model: RemoteModel) -> None:
    """Import the client library of this model's service, if it is installed and works.

    This takes about a second. Call it before the first request, so that the request doesn't have to
    wait.
    """
    with suppress(Exception):  # `open_service` handles the error when it is called.
        _import_adapter(model)


def _compatible(model: RemoteModel) -> RemoteModel | None:
    """Return the same model at the service's address for OpenAI's API, if it can be used."""
    if not model.service.compatible or find_spec("openai") is None:
        return None
    card = structs.replace(
        model.service, adapter="openai", base_url=model.service.compatible, compatible=""
    )
    return RemoteModel(card, model.name)


def _import_adapter(model: RemoteModel) -> ModuleType:
    return import_module(f"tutor.vendors.{model.service.adapter}_service")
