"""What may be done here: everything at home, less in a login that is locked down.

Decided once, on the command line (`tutor.cli.lockdown`). The app asks where it would offer an
action, and again where the action would be carried out.
"""

import msgspec


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    fetching: bool
    """A model may be fetched from the network."""

    other_servers: bool
    """Models elsewhere may be asked beside the one that the command line names."""


EVERYTHING = Allowed(fetching=True, other_servers=True)
LOCKED_DOWN = Allowed(fetching=False, other_servers=False)
