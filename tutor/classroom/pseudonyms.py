"""Create pseudonyms for learners. A pseudonym stays the same as long as the key does.

Without the key, no one can find out which learner a pseudonym belongs to, not even by trying all
user names. A pseudonym is 40 bits of a keyed hash (BLAKE2b) of the path of the learner's folder.
Among 1,000 learners, the probability that two of them have the same pseudonym is 1 in 2 million.
"""

import os
import secrets
import stat
from base64 import b32encode
from hashlib import blake2b
from pathlib import Path

from tutor import private
from tutor.classroom.errors import PseudonymError
from tutor.errors import StoreError
from tutor.language import _
from tutor.learner import disk
from tutor.learner.lock import locked
from tutor.learner.untrusted_files import entry_exists, read_untrusted

KEY_BYTES = 32
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def pseudonym(key: bytes, folder: Path) -> str:
    """Return a pseudonym of eight letters and digits, such as "k3tq-9mzx"."""
    digest = blake2b(os.fsencode(folder), key=key, digest_size=5).digest()
    name = b32encode(digest).decode().lower()
    return f"{name[:4]}-{name[4:]}"


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def kept_key(path: Path) -> bytes:
    """Return the key in the file. If the file does not exist, create a private file with a new key.

    Raises `PseudonymError` if the file cannot be created or read, or if other users could have read
    it.
    """
    try:
        if not entry_exists(path):
            _make(path)
        data = read_untrusted(path, KEY_BYTES)
    except (OSError, StoreError) as error:
        raise PseudonymError(
            _("The key for pseudonyms cannot be stored at {path}.").format(path=path),
            "Set TUTOR_DATA to a folder that you can write to.",
        ) from error
    if len(data) != KEY_BYTES:
        raise PseudonymError(
            _("{path} is not a key that tutor has created.").format(path=path),
            "Delete it. The next report creates a new key.",
        )
    if os.name != "nt" and path.stat().st_mode & _FOR_OTHERS:
        raise PseudonymError(
            _("Other users can read {path} and find out who the pseudonyms belong to.").format(
                path=path
            ),
            "Delete it. The next report creates a new key and new pseudonyms.",
        )
    return data


def _make(path: Path) -> None:
    """Create the key file. If two reports run at the same time, only one of them creates a key."""
    private.make_folder(path.parent)
    with locked(path.with_name("lock"), timeout=5.0):
        if not entry_exists(path):
            disk.replace(path, new_key())
