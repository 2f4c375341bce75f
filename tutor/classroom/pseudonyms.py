"""Names that stand for learners: the same ones as long as the key is kept, and nobody without the
key can tell whose they are, not even by trying every login.

A pseudonym is 40 bits of a keyed hash (BLAKE2b) of the learner's folder. Among 1,000 learners two
have the same with a probability of 1 in 2 million.
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
from tutor.learner import disk
from tutor.learner.lock import locked
from tutor.learner.untrusted_files import entry_exists, read_untrusted

KEY_BYTES = 32
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def pseudonym(key: bytes, folder: Path) -> str:
    """Eight letters and digits, such as "k3tq-9mzx"."""
    digest = blake2b(os.fsencode(folder), key=key, digest_size=5).digest()
    name = b32encode(digest).decode().lower()
    return f"{name[:4]}-{name[4:]}"


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def kept_key(path: Path) -> bytes:
    """The key in the file, which is made when there is none, for its owner alone.

    Raises `PseudonymError` where it cannot be made or read, or where others could have read it.
    """
    try:
        if not entry_exists(path):
            _make(path)
        data = read_untrusted(path, KEY_BYTES)
    except (OSError, StoreError) as error:
        raise PseudonymError(
            f"The key that pseudonyms are made with cannot be kept at {path}.",
            "Set TUTOR_DATA to a folder that you may write to.",
        ) from error
    if len(data) != KEY_BYTES:
        raise PseudonymError(
            f"{path} is not a key that tutor made.", "Remove it: the next report makes a new one."
        )
    if os.name != "nt" and path.stat().st_mode & _FOR_OTHERS:
        raise PseudonymError(
            f"Others can read {path}, and so find out whose the pseudonyms are.",
            "Remove it: the next report makes a new one, and with it new pseudonyms.",
        )
    return data


def _make(path: Path) -> None:
    """Two reports at once make one key."""
    private.make_folder(path.parent)
    with locked(path.with_name("lock"), timeout=5.0):
        if not entry_exists(path):
            disk.replace(path, new_key())
