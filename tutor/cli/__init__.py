"""Run the command `tutor`; each command is one module.

Modules are imported when their command is used. Heavy imports (torch, Textual) are inside the
functions that need them, so that neither `tutor --version` nor the app's first screen waits for
them.
"""

from tutor.cli.interrupted import leaving_at_once

with leaving_at_once():
    from tutor.cli.main import main

__all__ = ["main"]
