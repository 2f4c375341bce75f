"""Test that the interface strings are found, and that all catalogs agree with them."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest
from babel.messages import Catalog
from textual.binding import Binding

from tools import catalogs, docs
from tools.messages import extract


def messages_of(source: str) -> list[object]:
    return [message for _, _, message, _ in extract(io.BytesIO(source.encode()), (), (), {})]


@pytest.fixture(scope="module")
def template() -> Catalog:
    return catalogs.template()


def test_marked_strings_are_found_without_the_spaces_around_them() -> None:
    assert messages_of('_("  Press r" " to run. ")') == ["Press r to run."]
    assert messages_of('ngettext("{n} bit", "{n} bits", n)') == [("{n} bit", "{n} bits")]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('Binding("q", "quit", "quit", tooltip="Quit.")', ["quit", "Quit."]),
        ('key("r", "run", "run", "Run.")', ["run", "Run."]),
        ('tab("next_view(*)", "view", "Next view.")', ["view", "Next view."]),
        ('@goal("stored-name", "Reach it")\ndef _(state): ...', ["Reach it"]),
        ('Lab(name="mask", title="No mask", task="Look.")', ["No mask", "Look."]),
        ('LabError("It failed.", "Retry.")', ["It failed.", "Retry."]),
        ('class Broken(TutorError, title="Broken"): ...', ["Broken"]),
        ('counted(n, "token")', [("{count} token", "{count} tokens")]),
        ('ValueError("a bug")', []),
    ],
)
def test_declared_texts_are_found(source: str, found: list[object]) -> None:
    assert messages_of(source) == found


AVOIDED = re.compile(
    r"\b(pieces?|bench|home screen|turn(s|ed)? (?:\S+ ){0,5}?(on|off))\b", re.IGNORECASE
)
"""Terms that docs/terms.md replaces with others, and that `tools.prose` does not look for."""


def test_no_message_has_a_term_to_avoid(template: Catalog) -> None:
    """A `{pieces}` in braces is the name of a value, which no one sees."""
    messages = (
        re.sub(r"\{[^{}]*\}", "", each) for message in template for each in forms(message.id)
    )
    assert [each for each in messages if AVOIDED.search(each)] == []


def forms(message: object) -> tuple[str, ...]:
    return message if isinstance(message, tuple) else (str(message),)


def test_only_constants_are_marked() -> None:
    """A text that is put together first would never be found in a catalog."""
    for file in sorted((catalogs.ROOT / "tutor").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="_"), args=[argument]):
                    composed = isinstance(argument, ast.JoinedStr | ast.BinOp | ast.Call)
                    assert not composed, f"{file}, line {node.lineno}"


def test_every_label_on_a_key_line_is_found(template: Catalog) -> None:
    known = {message.id for message in template}
    for kind in docs.classes_with_keys():
        for binding in Binding.make_bindings(vars(kind).get("BINDINGS", ())):
            if binding.show and binding.description:
                assert binding.description in known, (kind, binding)


@pytest.mark.parametrize("file", catalogs.catalog_files(), ids=lambda file: file.parts[-3])
def test_a_catalog_agrees_with_the_interface(file: Path, template: Catalog) -> None:
    catalog = catalogs.read(file)
    assert list(catalogs.problems(catalog)) == []
    assert file.with_suffix(".mo").read_bytes() == catalogs.compiled(catalog), "run `make messages`"


def test_other_placeholders_are_a_problem() -> None:
    catalog = Catalog(locale="de")
    catalog.add("{done} of {total}", "{done} von {gesamt}")
    assert list(catalogs.problems(catalog))
    catalog = Catalog(locale="de")
    catalog.add("{done} of {bits:.1f}", "{bits:.1f}, davon {done}")
    assert not list(catalogs.problems(catalog))


@pytest.mark.parametrize("file", catalogs.catalog_files(), ids=lambda file: file.parts[-3])
def test_no_translation_is_a_guess(file: Path) -> None:
    assert [message.id for message in catalogs.read(file) if message.id and message.fuzzy] == []


def test_an_update_does_not_guess_translations() -> None:
    catalog, messages = Catalog(locale="de"), Catalog()
    catalog.add("Open the lab of this screen.", "Das Lab dieser Seite öffnen.")
    messages.add("Open the lab of this question.")
    catalogs.update(catalog, messages)
    (message,) = (each for each in catalog if each.id)
    assert message.id == "Open the lab of this question."
    assert not message.string
