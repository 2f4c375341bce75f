"""Define which actions are allowed: all of them, or fewer in a locked-down login.

The command line decides this once (`tutor.cli.lockdown`). The app checks it before it offers an
action, and again before it carries one out.
"""

import msgspec


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    fetching: bool
    """Whether the learner may download models."""

    other_servers: bool
    """Whether the learner may use remote models other than the one named on the command line."""


EVERYTHING = Allowed(fetching=True, other_servers=True)
LOCKED_DOWN = Allowed(fetching=False, other_servers=False)
