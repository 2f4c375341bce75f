"""The hosts that text may be sent to.

The learner is asked once for each host and session of the program, on the consent screen
(`tutor.app.model.consent`); naming a remote model on the command line counts as consent. The answer
is kept here, in the process that sends: nothing else leaves the machine, whatever a lab or a lesson
asks for.
"""

from __future__ import annotations

import threading

from tutor.errors import NotAllowed
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import Secret, find_key


class Permissions:
    """The allowed hosts, each with the key that came with the consent.

    Safe to use from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Secret | None] = {}

    def allow(self, host: str, key: Secret | None = None) -> None:
        with self._lock:
            self._keys[host] = key or self._keys.get(host)

    def allowed(self, model: RemoteModel) -> bool:
        """Return whether text may be sent. A server on this machine needs no consent."""
        with self._lock:
            return model.here or model.host in self._keys

    def check(self, model: RemoteModel) -> None:
        """Raise `NotAllowed` if text may not be sent to the host of `model`."""
        if not self.allowed(model):
            raise NotAllowed(
                f"You have not agreed to send anything to {model.host}.",
                "Agree on the consent screen, or keep using the local model.",
            )

    def key(self, model: RemoteModel) -> Secret | None:
        """Return the key for this model's service.

        This is the one that came with the consent, or else the one that this process finds.
        """
        with self._lock:
            given = self._keys.get(model.host)
        return given or find_key(model.service)
