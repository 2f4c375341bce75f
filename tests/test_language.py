"""Test how the language is chosen and how messages are translated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog

from tools import catalogs
from tutor import language
from tutor.errors import LabError
from tutor.language import _, ngettext
from tutor.text import counted


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Translate into German with a catalog of a few messages."""
    catalog = Catalog(locale="de")
    catalog.add("Press r to run.", "Starten: r")
    catalog.add(("{count} token", "{count} tokens"), ("{count} Token", "{count} Tokens"))
    file = tmp_path / "de" / "LC_MESSAGES" / "tutor.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogs.compiled(catalog))
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    monkeypatch.setenv(language.VARIABLE, "de")
    language._catalog.cache_clear()
    yield
    language._catalog.cache_clear()


@pytest.mark.usefixtures("german")
def test_a_message_is_translated_and_keeps_the_spaces_around_it() -> None:
    assert _("Press r to run.") == "Starten: r"
    assert _("  Press r to run. ") == "  Starten: r "


@pytest.mark.usefixtures("german")
def test_without_a_translation_a_message_stays_english() -> None:
    assert _("Press u to undo.") == "Press u to undo."
    assert _("") == ""  # whose "translation" would be the head of the catalog


@pytest.mark.usefixtures("german")
def test_counts_are_translated() -> None:
    assert ngettext("{count} token", "{count} tokens", 2) == "{count} Tokens"
    assert counted(1, "token") == "1 Token"
    assert counted(49_152, "token") == "49,152 Tokens"
    assert counted(2, "byte") == "2 bytes"


@pytest.mark.usefixtures("german")
def test_an_error_is_translated() -> None:
    assert LabError("It stopped.", "Press r to run.").next_step == "Starten: r"


def test_english_reads_no_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "LOCALES", Path("/nowhere"))
    assert _("Press r to run.") == "Press r to run."
    assert counted(1, "token") == "1 token"
    assert counted(2, "token") == "2 tokens"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--language", "de"), "de"),
        (("step", "--language=fr"), "fr"),
        (("--language", "de", "--language", "en"), ""),
        (("step", "--", "--language", "de"), ""),
        ((), ""),
    ],
)
def test_the_command_line_sets_the_language_before_anything_is_imported(
    arguments: tuple[str, ...], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(language.VARIABLE, "")
    language.choose(arguments)
    assert language.preferred() == code


@pytest.mark.parametrize("code", ["../de", "de/../de", "", "x" * 300, "de\n"])
def test_only_the_code_of_a_language_names_a_catalog(code: str) -> None:
    assert not language.has_catalog(code)
