"""Find the folders that contain the progress of a class's learners.

Learners control the contents of these folders. Links are therefore not followed, and only a limited
number of entries is read.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tutor import paths
from tutor.learner.snapshot import has_progress
from tutor.learner.untrusted_files import entry_exists
from tutor.text import one_line

MOST_ENTRIES = 5_000
LONGEST_NAME, LONGEST_PATH = 60, 300
"""The maximum lengths of a folder's name and path when shown. Learners can choose any name."""
_ONLY_LEARNER = "me"
"""The name of the learner in a data folder that has only one learner."""

_Kind = Literal["learner", "data", "closed", "other"]


class Found(msgspec.Struct, frozen=True):
    """A learner's folder, with all links resolved, and the learner's name."""

    folder: Path
    name: str


class Unread(msgspec.Struct, frozen=True):
    """Progress that could not be read. `why` completes a sentence that begins with `where`."""

    where: str
    why: str


def unread(place: Path, why: str) -> Unread:
    return Unread(one_line(str(place), LONGEST_PATH), why)


class Search:
    """A search for the folders of learners.

    It finds each learner once, and records which folders it could not read. `within` is the path
    from a data folder to the folder that contains its learners.
    """

    def __init__(self, within: Path) -> None:
        self.found: list[Found] = []
        self.unread: list[Unread] = []
        self._within = within
        self._known: set[str] = set()
        self._logins = paths.account_data_folders()

    def look(self, folder: Path) -> None:
        """Search a folder that the user named.

        It can be a learner's folder, a folder with several learners' folders, a data folder, or a
        folder that contains one data folder for each learner, named after the learner.
        """
        before = len(self._known), len(self.unread)
        match self._kind(folder):
            case "learner":
                real = folder.resolve()
                self._add(real, self._called(real.name, "", real.parent.parent))
            case "data":
                self.look_into_data(folder)
            case "closed":
                self._cannot(folder, "cannot be read")
            case "other":
                for name in self._entries(folder):
                    self._look_at_entry(folder / name)
        if before == (len(self._known), len(self.unread)):
            self._cannot(folder, "contains no other learners")

    def _look_at_entry(self, folder: Path) -> None:
        match self._kind(folder):
            case "learner":
                self._add(folder, folder.name)
            case "data":
                self.look_into_data(folder, folder.name)
            case "closed":
                self._cannot(folder, "cannot be read")

    def look_into_data(self, data: Path, holder: str = "") -> None:
        """Search a data folder for learners. `holder` is its owner, if known."""
        place = data
        for part in self._within.parts:
            place = place / part
            if place.is_symlink():
                self._cannot(place, "is a link, and links are not followed")
                return
        for name in self._entries(place):
            match self._kind(place / name):
                case "learner":
                    self._add(place / name, self._called(name, holder, data))
                case "closed":
                    self._cannot(place / name, "cannot be read")

    def look_everywhere(self) -> None:
        """Search the data folders of all accounts on this machine, and the user's own folder."""
        closed = 0
        for data, login in self._logins.items():
            try:
                if not entry_exists(data / self._within):
                    continue
            except PermissionError:
                closed += 1
            except OSError:  # This account's home folder does not exist.
                continue
            else:
                self._look_at_account(data, login)
        own = paths.data_folder()
        if self._kind(own) == "data":
            self.look_into_data(own)
        if closed:
            places = (
                "data folder of another account"
                if closed == 1
                else "data folders of other accounts"
            )
            self.unread.append(Unread(f"{closed} {places}", "cannot be read"))

    def _look_at_account(self, data: Path, login: str) -> None:
        if os.path.realpath(data) == str(data):
            self.look_into_data(data, login)
        else:  # The link could lead to another learner's progress.
            self._cannot(data, "is reached through a link, and links are not followed")

    # --- one folder -----------------------------------------------------------------------------

    def _kind(self, folder: Path) -> _Kind:
        try:
            if has_progress(folder):
                return "learner"
            return "data" if entry_exists(folder / self._within) else "other"
        except PermissionError:
            return "closed"
        except OSError:
            return "other"

    def _called(self, learner: str, holder: str, data: Path) -> str:
        """Return a learner's name. `holder` is the owner of the data folder `data`, if known."""
        if learner != _ONLY_LEARNER:
            return f"{holder}/{learner}" if holder else learner
        real = data.resolve()
        return holder or self._logins.get(real, real.name)

    def _add(self, folder: Path, name: str) -> None:
        real = os.path.realpath(folder)
        if real not in self._known:
            self._known.add(real)
            self.found.append(Found(Path(real), one_line(name, LONGEST_NAME)))

    def _entries(self, folder: Path) -> Sequence[str]:
        """Return the names of the subfolders in alphabetical order. Links are left out."""
        names: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for number, entry in enumerate(entries):
                    if number == MOST_ENTRIES:
                        self._cannot(folder, f"has more than {MOST_ENTRIES:,} entries")
                        break
                    if entry.is_dir(follow_symlinks=False):
                        names.append(entry.name)
        except OSError as error:
            self._cannot(folder, f"cannot be read ({error.strerror or error})")
        return sorted(names)

    def _cannot(self, place: Path, why: str) -> None:
        self.unread.append(unread(place, why))
