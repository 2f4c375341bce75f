"""Read files from an untrusted folder.

Links are not followed, files that could block the reader are not opened, and the size of each file
is limited.
"""

import os
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner import disk
from tutor.regular_file import NotRegular, read_regular


def entry_exists(path: Path) -> bool:
    """Return True if `path` exists, even if it is a broken link.

    Raises `OSError` if this cannot be determined. (`Path.exists` returns False or raises an error
    in that case, depending on the Python version.)
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_untrusted(path: Path, largest: int) -> bytes:
    """Return the contents of a file that another user may have written.

    Raises `StoreError` if the file cannot be read, is not a regular file, or is larger than
    `largest` bytes.
    """
    data = read_beginning(path, largest + 1)
    if len(data) > largest:
        raise refusal(path, f"is larger than {largest:,} bytes")
    return data


def read_beginning(path: Path, most: int) -> bytes:
    """Return at most `most` bytes of a file that another user may have written.

    Raises `StoreError` if the file cannot be read, or is not a regular file.
    """
    with disk.failures_in_words(path, "read"):
        if path.is_symlink():  # Some systems have no O_NOFOLLOW.
            raise refusal(path, "is a link, and links are not followed")
        try:
            return read_regular(path, most, links=False)
        except NotRegular as error:
            raise refusal(path, "is not a regular file") from error


def refusal(path: Path, why: str) -> StoreError:
    """Return the error for a skipped file. `why` completes a sentence that begins with `path`."""
    return StoreError(f"{path} {why}.", "The file was skipped. Check it, or remove it.")
