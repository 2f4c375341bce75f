"""Define the errors in reading or saving a learner's progress."""

from tutor.errors import StoreError


class StoreBusy(StoreError, title="Progress is in use"):
    """Another session holds the lock."""


class StoreFull(StoreError, title="No space to save progress"):
    """The disk is full, or the user's disk quota is exceeded."""


class StoreReadOnly(StoreError, title="Progress is read-only here"):
    """The folder is read-only or belongs to another user."""


class StoreNewer(StoreError, title="Progress is from a newer version"):
    """The progress file was written by a newer version of tutor."""


class ImportRefused(StoreError, title="This file cannot be imported"):
    """A file to be imported is damaged or contains invalid values."""


class LabWorkFull(StoreError, title="Not all texts are saved"):
    """Some unsubmitted texts don't fit in a lab's file. It is shown but never raised."""


class StoreRepaired(StoreError, title="Saved progress was repaired"):
    """A notice about a damaged or missing file and its repair. It is shown but never raised."""
