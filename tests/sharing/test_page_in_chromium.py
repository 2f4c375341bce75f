"""Test the page of a shared text in Chromium, without JavaScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.fake_engine import split
from tests.sharing.shared_texts import PROMPT, shared
from tutor.sharing.html import to_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install -e '.[browser]'"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
HOSTILE = "<script>document.title='x'</script><img src=http://127.0.0.1:9/x>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def opened(browser: Browser, folder: Path, width: int, *, script: bool, text: str) -> Page:
    file = folder / "page.html"
    file.write_text(to_html(shared(split(text))), encoding="utf-8")
    page = browser.new_page(
        viewport={"width": width, "height": 800}, java_script_enabled=script, has_touch=True
    )
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("width", [1280, 390])
def test_pointing_tapping_and_tab_show_the_rows(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    page = opened(browser, tmp_path, width, script=False, text=f"{PROMPT} Paris")
    fifth, sixth = page.locator("#r5"), page.locator("#r6")
    assert not sixth.is_visible()
    page.hover("#t6")
    assert sixth.is_visible()
    assert "69.3 %" in sixth.inner_text()
    page.mouse.move(1, 1)
    assert not sixth.is_visible()
    page.tap("#t5")
    assert fifth.is_visible()
    page.mouse.move(1, 1)
    page.keyboard.press("Tab")
    assert sixth.is_visible()
    box = sixth.bounding_box()
    assert box is not None
    assert box["x"] == 0
    assert box["width"] <= width
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(browser: Browser, tmp_path: Path, width: int) -> None:
    page = opened(browser, tmp_path, width, script=True, text=f"{PROMPT} " + "x" * 300)
    page.hover("#t3")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_hostile_text_runs_nothing_and_requests_nothing(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, 1280, script=True, text=HOSTILE)
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.reload()
    assert [each for each in requests if not each.startswith("file:")] == []
    assert messages == []  # the style sheet obeys the page's own policy
    assert page.title().startswith("<script>")
    assert page.locator("main .text > a").all_inner_texts()
    assert page.locator("script, img").count() == 0
    page.close()
