"""The set of allowed actions: all, or fewer in a locked-down login.

The command line decides this once (`tutor.cli.lockdown`). The app checks it before it offers an
action, and again before it carries one out.
"""

import msgspec


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    fetching: bool
    """Whether models may be downloaded from the network."""

    other_servers: bool
    """Whether remote models may be asked besides the one that the command line names."""


EVERYTHING = Allowed(fetching=True, other_servers=True)
LOCKED_DOWN = Allowed(fetching=False, other_servers=False)
