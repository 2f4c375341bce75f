"""Failures to read or save a learner's progress."""

from tutor.errors import StoreError


class StoreBusy(StoreError, title="Progress is in use"):
    """Another session holds the lock."""


class StoreFull(StoreError, title="No space to save progress"):
    """The disk, or the learner's share of it, is full."""


class StoreReadOnly(StoreError, title="Progress is read-only here"):
    """The folder cannot be written to: a read-only medium, or not this user's."""


class StoreNewer(StoreError, title="Progress is from a newer version"):
    """The progress file was written by a newer version."""


class ImportRefused(StoreError, title="This file cannot be imported"):
    """A file with progress from elsewhere is damaged, or says what cannot be."""


class StoreRepaired(StoreError, title="Saved progress was not as expected"):
    """Never raised: a notice that a file was damaged or gone, and what was done about it."""
