"""Build the website from README.md, docs/ and pictures of the app.

    python -m tools.site             # everything; needs the default model (`tutor model pull`)
    python -m tools.site --no-pictures

The pages are written to build/site. Building fails if a link leads nowhere, and the pages load
nothing from other hosts.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tutor.labs.kit import registry
from tutor.sharing.writing import without_web_fonts

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "build" / "site-source"
"""The folder that MkDocs reads. It contains a copy of the pages, in the same folders."""
PICTURES = Path("pictures")
GALLERY = Path("screens.md")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "lessons/README.md", "assets/README.md")
SCREENS = {
    "home": "Course map",
    "lesson": "A screen of a lesson",
    "lesson-predict": "A prediction",
    "question": "A question",
    "answered": "A question, after the answer",
    "result": "The end of a lesson",
    "stepper": "Stepper",
    "x-ray": "X-ray",
    "sampler": "Sampler",
    "chat-said": "Chat",
    "guess": "Guessing game",
    "labs": "List of labs",
    "progress": "Progress",
    "review": "Review",
    "model": "Model",
    "glossary": "Glossary",
    "search": "Search",
    "help": "Help",
}
"""The main screens and their titles, by the name of the picture in `tools.pictures`."""

_CODE_OR_LINK = re.compile(r"(```.*?```|`[^`]*`)|(!?)\[([^\]]*)\]\(([^)\s]+)\)", re.DOTALL)


def write_source(folder: Path) -> None:
    """Write everything that MkDocs reads to `folder`, except for the pictures of the app."""
    pages = [Path(name) for name in PAGES]
    pages += sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))
    drawings = sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.svg"))
    known = {*pages, *drawings}
    for page in pages:
        text = (ROOT / page).read_text(encoding="utf-8")
        _write(folder / page, without_links_to_code(text, page, known))
    for drawing in drawings:
        _write(folder / drawing, without_web_fonts((ROOT / drawing).read_text(encoding="utf-8")))
    _write(folder / GALLERY, gallery())


def without_links_to_code(text: str, page: Path, known: set[Path]) -> str:
    """Return a page with plain text instead of each link to a file that the site doesn't have.

    `page` is the path of the page, and `known` are the paths of all files that the site has.
    """

    def replaced(found: re.Match[str]) -> str:
        code, _, label, target = found.groups()
        if code is not None or "://" in target or target.startswith("#"):
            return found[0]
        place = ROOT / page.parent / target.partition("#")[0]
        return found[0] if place.resolve().relative_to(ROOT) in known else label

    return _CODE_OR_LINK.sub(replaced, text)


def titles() -> dict[str, str]:
    """Return the titles of all pictures on the website, by the name of the picture."""
    return SCREENS | {f"lab-{name}": f"Lab {name}" for name in registry.names()}


def gallery() -> str:
    """Return the page with all pictures, in Markdown."""
    parts = [f"## {title}\n\n![{title}]({PICTURES}/{name}.svg)" for name, title in titles().items()]
    return "\n\n".join(["# Screens and labs", *parts, ""])


def take_pictures(folder: Path) -> None:
    command = [sys.executable, "-m", "tools.pictures", str(folder), "--only", *titles()]
    subprocess.run(command, cwd=ROOT, check=True)
    for picture in folder.glob("*.svg"):
        _write(picture, without_web_fonts(picture.read_text(encoding="utf-8")))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--no-pictures", action="store_true", help="use the pictures of the last build"
    )
    chosen = parser.parse_args()
    kept = SOURCE / PICTURES
    for old in SOURCE.iterdir() if SOURCE.exists() else ():
        if old != kept:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_source(SOURCE)
    if not chosen.no_pictures:
        take_pictures(kept)
    for name in titles():  # MkDocs refuses a page whose pictures are missing
        if not (kept / f"{name}.svg").exists():
            _write(kept / f"{name}.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>\n')
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
