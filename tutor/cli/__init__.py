"""Implement the command line, with one module or package for each command.

Functions import heavy packages (torch, Textual) only when they need them, so that `tutor --version`
and the app's first screen don't have to wait for these imports.
"""

import sys

from tutor import language
from tutor.cli.interrupted import leaving_at_once
from tutor.settings.file import language_in_file

language.choose(sys.argv[1:])
if not language.preferred():
    language.prefer(language_in_file(language.value_given(sys.argv[1:], "--data")))
with leaving_at_once():
    from tutor.cli.main import main

__all__ = ["main"]
