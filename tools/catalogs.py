"""Read and check the catalogs with translations of the interface, and make a pseudo-language.

python -m tools.catalogs           # extract the messages, update and compile all catalogs
python -m tools.catalogs de        # the same, and start a catalog for a new language
"""

from __future__ import annotations

import io
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tutor.language import DOMAIN, LOCALES

ROOT = Path(__file__).parent.parent
HEADER = "# Translations of the interface of tutor. See docs/translate.md."
FILES = [("**.py", "tools.messages:extract")]
"""The functions that extract messages, as pairs of a file pattern and a function."""

_WIDTH = 100
_FIELD = re.compile(r"(\{\{|\}\}|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})")
_WIDTH_OF_FIELD = re.compile(r"^[<>^]?[0-9]*")


def template() -> Catalog:
    """Return a catalog with all messages of the interface, in the order of the source files."""
    found = Catalog(project="tutor", header_comment=HEADER)
    for file, _, message, _, _ in extract_from_dir(ROOT / "tutor", FILES):
        brace = "python-brace-format" if "{" in "".join(message) else ""
        found.add(message, locations=[(f"tutor/{file}", 0)], flags=[brace] if brace else [])
    return found


def catalog_files() -> list[Path]:
    return sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def read(file: Path) -> Catalog:
    with file.open("rb") as source:
        return read_po(source, locale=file.parent.parent.name)


def update(catalog: Catalog, messages: Catalog) -> None:
    """Add new messages to a catalog, and remove old ones.

    A new message never gets the translation of a similar one. Such guesses are mostly wrong.
    """
    catalog.update(messages, no_fuzzy_matching=True)


def compiled(catalog: Catalog) -> bytes:
    """Return the binary form of a catalog, which the standard library's gettext reads."""
    target = io.BytesIO()
    write_mo(target, catalog)
    return target.getvalue()


def problems(catalog: Catalog) -> Iterator[str]:
    """Yield a message about each translation whose placeholders differ from the original's."""
    for message in catalog:
        originals, translations = _forms(message.id), _forms(message.string)
        if not message.id or not any(translations) or message.fuzzy:
            continue
        wanted = placeholders(originals[-1])
        for translation in translations:
            if placeholders(translation) != wanted:
                yield f"{originals[-1]!r} has {sorted(wanted)}; {translation!r} does not"


def placeholders(text: str) -> set[str]:
    """Return the names in braces, with their formats except for the width: {"done", "bits:.1f"}."""
    parsed = string.Formatter().parse(text)
    return {f"{name}:{_WIDTH_OF_FIELD.sub('', spec or '')}" for _, name, spec, _ in parsed if name}


ACCENTED = "áƀçđéƒǧħíǰǩľɱñóƥɋŕşŧúṽŵẋýžÁɃÇÐÉƑǦĦÍĴĶĽṀÑÓÞɊŔŞŦÚṼŴẊÝŽ"
"""The letters of the pseudo-language."""
_ACCENTS = str.maketrans(string.ascii_letters, ACCENTED)


def pseudo(catalog: Catalog) -> Catalog:
    """Return a translation that makes each message 30 % longer, in accented letters.

    It shows which texts cannot be translated, since these have no accents, and which texts have too
    little room.
    """
    said = Catalog(locale="en", fuzzy=False)
    for message in catalog:
        if message.id:
            forms = tuple(map(_pseudo, _forms(message.id)))
            said.add(message.id, forms if message.pluralizable else forms[0])
    return said


def _pseudo(text: str) -> str:
    parts = _FIELD.split(text) if "{" in text else [text]
    said = [part if at % 2 else part.translate(_ACCENTS) for at, part in enumerate(parts)]
    return "".join(said) + "ø" * (len(text) * 3 // 10)


def _forms(text: object) -> list[str]:
    return [str(each) for each in text] if isinstance(text, (list, tuple)) else [str(text)]


def main() -> None:
    messages = template()
    for language in sys.argv[1:]:
        (LOCALES / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
        file = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
        if not file.exists():
            file.write_bytes(b"")
    for file in catalog_files():
        catalog = read(file)
        update(catalog, messages)
        with file.open("wb") as target:
            write_po(
                target,
                catalog,
                width=_WIDTH,
                sort_output=True,
                ignore_obsolete=True,
                include_lineno=False,
            )
        file.with_suffix(".mo").write_bytes(compiled(catalog))
        done = sum(
            bool(each.id and any(_forms(each.string)) and not each.fuzzy) for each in catalog
        )
        print(f"{file.relative_to(ROOT)}: {done} of {len(catalog)} messages are translated.")
    print(f"{len(messages)} messages.")


if __name__ == "__main__":
    main()
