"""Failures to read or save a learner's progress."""

from __future__ import annotations

from tutor.errors import StoreError


class StoreBusy(StoreError):
    title = "Progress is in use"


class StoreFull(StoreError):
    """The disk, or the learner's share of it, is full."""

    title = "No space to save progress"


class StoreReadOnly(StoreError):
    """The folder cannot be written to: a read-only medium, or not this user's."""

    title = "Progress is read-only here"


class StoreNewer(StoreError):
    """The progress file was written by a newer version."""

    title = "Progress is from a newer version"


class ImportRefused(StoreError):
    """A file with progress from elsewhere is damaged, or says what cannot be."""

    title = "This file cannot be imported"


class StoreRepaired(StoreError):
    """Never raised: a notice that a file was damaged or gone, and what was done about it."""

    title = "Saved progress was not as expected"
