"""Define which actions the learner is allowed to use.

A locked-down login allows fewer actions. The command line sets these values once
(`tutor.cli.lockdown`). The app checks them before it shows an action, and again before it runs one.
"""

import msgspec


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    fetching: bool
    """True if the learner can download models."""

    other_servers: bool
    """True if the learner can use remote models other than the one on the command line."""

    own_engine: bool
    """True if the learner can start their own engine on a machine with a shared engine."""

    other_programs: bool
    """True if the learner can run other programs, such as an editor."""

    saving_files: bool
    """True if the learner can save files outside tutor's own folders."""

    opening_files: bool
    """True if the learner can name files for tutor to read."""


EVERYTHING = Allowed(
    fetching=True,
    other_servers=True,
    own_engine=True,
    other_programs=True,
    saving_files=True,
    opening_files=True,
)
LOCKED_DOWN = Allowed(
    fetching=False,
    other_servers=False,
    own_engine=False,
    other_programs=False,
    saving_files=False,
    opening_files=False,
)
