"""Store which hosts the learner has agreed to send text to.

The consent screen (`tutor.app.model.consent`) asks for permission once per host, and the permission
is valid until the program exits. Naming a remote model on the command line also counts as
permission.

The permissions are stored and checked in the process that sends the text, so no lab or lesson can
bypass them.
"""

from __future__ import annotations

import threading

from tutor.errors import NotAllowed
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import Secret, find_key


class Permissions:
    """The permitted hosts, each with the API key that was sent with the permission.

    All methods are thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Secret | None] = {}

    def allow(self, host: str, key: Secret | None = None) -> None:
        with self._lock:
            self._keys[host] = key or self._keys.get(host)

    def allowed(self, model: RemoteModel) -> bool:
        """Return True if text may be sent to the model's host, or if the server is local."""
        with self._lock:
            return model.here or model.host in self._keys

    def check(self, model: RemoteModel) -> None:
        """Raise `NotAllowed` if text may not be sent to the model's host."""
        if not self.allowed(model):
            raise NotAllowed(
                f"You have not agreed to send text to {model.host}.",
                "Agree on the consent screen, or keep using the local model.",
            )

    def key(self, model: RemoteModel) -> Secret | None:
        """Return the API key for this model's service.

        This is the key that was sent with the permission or, if there was none, a key that this
        process finds.
        """
        with self._lock:
            given = self._keys.get(model.host)
        return given or find_key(model.service)
