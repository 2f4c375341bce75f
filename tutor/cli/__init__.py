"""Implement the command `tutor`, with one module or package for each subcommand.

Functions import heavy packages (torch, Textual) when they need them, so that neither
`tutor --version` nor the app's first screen waits for them.
"""

import os
import sys

from tutor import language
from tutor.cli.interrupted import leaving_at_once
from tutor.settings.file import language_in_file

language.choose(sys.argv[1:])
if not os.environ.get(language.VARIABLE):
    data_folder = language.value_given(sys.argv[1:], "--data")
    os.environ[language.VARIABLE] = language_in_file(data_folder)
with leaving_at_once():
    from tutor.cli.main import main

__all__ = ["main"]
