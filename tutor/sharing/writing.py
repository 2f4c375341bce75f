"""Write a shared text to a file."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_never

from tutor import private
from tutor.errors import TutorError
from tutor.language import _
from tutor.text import one_line, printable_json

if TYPE_CHECKING:
    from tutor.sharing.document import SharedText

TextForm = Literal["html", "markdown", "json"]
"""The format of a file with a shared text."""
Form = TextForm | Literal["svg"]
"""The format of a file with a shared text, or "svg" for a picture of the screen."""
_SUFFIXES: dict[Form, str] = {"html": ".html", "markdown": ".md", "json": ".json", "svg": ".svg"}
_WORDS = re.compile(r"[a-z0-9]+")
_LONGEST_NAME = 40
_WEB_FONT = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


class NotWritten(TutorError, title="The file was not saved"):
    """Raised when a file cannot be written."""


def content(text: SharedText, form: TextForm) -> bytes:
    """Return the content of the file."""
    match form:
        case "html":
            from tutor.sharing.html import to_html  # the stepper opens faster without this import

            return to_html(text).encode("utf-8", "replace")
        case "markdown":
            from tutor.sharing.markdown import to_markdown

            return to_markdown(text).encode("utf-8", "replace")
        case "json":
            return printable_json(text.to_json())
        case _:
            assert_never(form)


def picture(svg: str) -> bytes:
    """Return a picture of the screen that loads no fonts from the web."""
    return without_web_fonts(svg).encode("utf-8", "replace")


def without_web_fonts(svg: str) -> str:
    """Remove the links to web fonts that Textual adds to a picture, and return the picture."""
    return _WEB_FONT.sub("", svg)


def suggested(text: str) -> str:
    """Return a file name made of the first words of a text, without a suffix."""
    name = "-".join(_WORDS.findall(text.lower()))[:_LONGEST_NAME].rstrip("-")
    return name or "tutor-text"


def current_folder() -> str:
    """Return the folder in which files are saved unless the user writes another path."""
    try:
        return str(Path.cwd())
    except OSError:  # another program has removed this folder
        return "."


def save(name: str, form: Form, data: bytes) -> Path:
    """Write a new file and return its full path. Existing files are never replaced.

    `name` is relative to the current folder. The form's suffix is added unless `name` ends with it.
    If the file already exists, a number is added to its name. Raises `NotWritten`.
    """
    suffix = _SUFFIXES[form]
    try:
        _check(name)
        path = Path(name.strip()).expanduser().absolute()
        if path.suffix.lower() != suffix:
            path = path.with_name(path.name + suffix)
        if not path.parent.is_dir():
            raise NotWritten(
                _("There is no folder {folder}.").format(folder=one_line(str(path.parent))),
                "Choose another name, or create the folder first.",
            )
        first, numbers = path, count(2)
        while path.exists() or path.is_symlink():
            path = first.with_stem(f"{first.stem}-{next(numbers)}")
        private.replace_file(path, data)
    except (OSError, ValueError, RuntimeError) as error:
        raise _not_written(name, error) from error
    return path


def replace(name: str, data: bytes) -> Path:
    """Write a file that the user has named, and return its full path. Raises `NotWritten`.

    An existing file is replaced.
    """
    try:
        _check(name)
        path = Path(name).absolute()
        private.replace_file(path, data)
    except (OSError, ValueError) as error:
        raise _not_written(name, error) from error
    return path


def _check(name: str) -> None:
    """Raise `ValueError` if `name` contains a null character, which no file name can."""
    if "\0" in name:
        raise ValueError(_("the name contains a null character"))


def _not_written(name: str, error: Exception) -> NotWritten:
    why = getattr(error, "strerror", None) or error
    return NotWritten(
        _("{name} cannot be written: {why}.").format(
            name=one_line(name), why=one_line(str(why)).rstrip(".")
        ),
        "Choose another name or folder.",
    )
