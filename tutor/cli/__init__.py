"""The command `tutor`, one module a command.

Modules are imported when their command is used, and what is heavy (torch, Textual) inside the
function that needs it: `tutor --version` and the app's first paint wait for neither.
"""

from tutor.cli.interrupted import leaving_at_once

with leaving_at_once():
    from tutor.cli.main import main

__all__ = ["main"]
