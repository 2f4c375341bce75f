"""Test the source of the website, and build it without pictures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import pictures, site
from tutor.labs.kit import registry
from tutor.sharing.writing import without_web_fonts


def test_every_lab_and_main_screen_has_a_picture() -> None:
    names = {*site.SCREENS, *(f"lab-{name}" for name in registry.names())}
    assert names <= set(pictures.SHOTS)
    assert all(f"/{name}.svg" in site.gallery() for name in names)


def test_only_the_missing_pictures_of_the_gallery_are_replaced_by_empty_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "SOURCE", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *command, **how: None)
    monkeypatch.setattr(sys, "argv", ["site", "--no-pictures"])
    folder = tmp_path / site.PICTURES
    folder.mkdir()
    (folder / "home.svg").write_text("a picture")
    site.main()
    linked = set(re.findall(rf"\({site.PICTURES}/([^)]+)\)", site.gallery()))
    assert {picture.name for picture in folder.iterdir()} == linked
    assert (folder / "home.svg").read_text() == "a picture"


def test_a_link_to_code_becomes_text() -> None:
    page = "[a](b.md#c) [`d`](../tutor/d.py) [e](https://e.example) [f](#g) `[h](i.py)` [j\nk](l)"
    assert site.without_links_to_code(page, Path("docs/a.md"), {Path("docs/b.md")}) == (
        "[a](b.md#c) `d` [e](https://e.example) [f](#g) `[h](i.py)` j\nk"
    )


def test_pictures_use_no_font_of_another_host() -> None:
    svg = (site.ROOT / "docs" / "stepper.svg").read_text(encoding="utf-8")
    assert "@font-face" in svg
    assert not re.search(r"url\((?!#)", without_web_fonts(svg))


def test_the_site_has_every_page_of_the_documentation_in_its_menu() -> None:
    menu = (site.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (site.ROOT / "docs").glob("*.md"):
        assert f": docs/{page.name}" in menu


def test_every_link_of_the_site_leads_somewhere_and_nothing_is_loaded(tmp_path: Path) -> None:
    commands = pytest.importorskip("mkdocs.commands.build", reason="MkDocs is not installed")
    config = pytest.importorskip("mkdocs.config")
    source, built = tmp_path / "source", tmp_path / "site"
    site.write_source(source)
    for name in site.titles():
        picture = source / site.PICTURES / f"{name}.svg"
        picture.parent.mkdir(exist_ok=True)
        picture.touch()
    loaded = config.load_config(
        str(site.ROOT / "mkdocs.yml"), docs_dir=str(source), site_dir=str(built), strict=True
    )
    commands.build(loaded)
    pages = list(built.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(script|img|iframe)[^>]*src=.?(https?:)?//", text), page
        assert not re.search(r"<link[^>]*stylesheet[^>]*href=.?(https?:)?//", text), page
