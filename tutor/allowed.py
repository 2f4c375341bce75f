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

    own_engine: bool
    """Whether the learner may start their own engine although the machine has a shared one."""

    other_programs: bool
    """Whether the learner may run other programs, such as an editor."""


EVERYTHING = Allowed(fetching=True, other_servers=True, own_engine=True, other_programs=True)
LOCKED_DOWN = Allowed(fetching=False, other_servers=False, own_engine=False, other_programs=False)
