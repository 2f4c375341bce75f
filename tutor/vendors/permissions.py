"""Which hosts texts may be sent to.

The learner is asked once for each host and session of the program, on the screen
(`tutor.app.model.consent`) or by naming a remote model on the command line. The answer is kept
here, in the process that sends: nothing else leaves the machine, whatever a lab or a lesson asks.
"""

from __future__ import annotations

import threading

from tutor.errors import NotAllowed
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import Secret, find_key


class Permissions:
    """Hosts, each with the key that came with the permission. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Secret | None] = {}

    def allow(self, host: str, key: Secret | None = None) -> None:
        with self._lock:
            self._keys[host] = key or self._keys.get(host)

    def allowed(self, model: RemoteModel) -> bool:
        """A text for a server on this machine does not leave it: nobody need be asked."""
        with self._lock:
            return model.here or model.host in self._keys

    def check(self, model: RemoteModel) -> None:
        """Raises `NotAllowed`."""
        if not self.allowed(model):
            raise NotAllowed(
                f"You have not agreed to send anything to {model.host}.",
                "Agree to it on the screen that asks, or stay with the local model.",
            )

    def key(self, model: RemoteModel) -> Secret | None:
        """The key for this model's service: the one that came with the permission, or the one
        that this process finds."""
        with self._lock:
            given = self._keys.get(model.host)
        return given or find_key(model.service)
