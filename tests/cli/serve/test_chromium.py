"""Test `tutor serve` in a real browser: Chromium, without a window, controlled by Playwright."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.cli.serve.chromium import DEADLINE, Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install -e '.[browser]'"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

DESKTOP = {"width": 1000, "height": 640}
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[str]:
    """Run `tutor serve`, and return the address for other learners."""
    command = [sys.executable, "-m", "tutor", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield server.stdout.readline().split()[-1]
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


@pytest.fixture
def open_tab(browser: Browser, server: str) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a tab: for a new learner, or with the address of another tab."""
    contexts = []

    def opened(like: Tab | None = None, size: dict[str, int] = DESKTOP, phone: bool = False) -> Tab:
        context = browser.new_context(viewport=size, has_touch=phone, is_mobile=phone)
        contexts.append(context)
        tab = Tab(context.new_page())
        if like is None:
            tab.page.goto(server)
            tab.page.get_by_role("button").click()
        else:
            tab.page.goto(like.page.url)
        return tab

    yield opened
    for context in contexts:
        context.close()


def to_first_question(tab: Tab) -> None:
    """Skip the tour, open the first lesson, and then its first question, which asks for a word."""
    tab.wait_for("Welcome to tutor")
    tab.press("esc")
    tab.wait_for("From rules")
    tab.press("enter")
    tab.wait_for("enter reveal")
    tab.press("tab")
    tab.wait_for("a questions")
    tab.press("a")
    tab.wait_for("question 1 of")


def test_a_reload_in_the_middle_of_a_question_keeps_the_answer(
    open_tab: Callable[..., Tab],
) -> None:
    tab = open_tab()
    to_first_question(tab)
    tab.press("b")
    tab.wait_for("> b")
    tab.reload()
    tab.wait_for("> b")
    tab.press("c")
    tab.wait_for("> bc")
    assert "question 1 of" in tab.text


def test_a_window_that_becomes_narrow(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.wait_for("? help")
    assert tab.columns > 100
    tab.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    tab.wait_until(
        lambda: 40 <= tab.columns < 50 and "? help" in tab.text.splitlines()[-1], "narrow screen"
    )


def test_the_terminal_fills_the_page(open_tab: Callable[..., Tab]) -> None:
    """The part of the page below the last row belongs to the terminal, and has its color."""
    tab = open_tab()
    tab.wait_for("? help")
    terminal, background = tab.page.evaluate(
        """() => {
            const drawn = document.querySelector(".xterm-viewport");
            return [drawn.getBoundingClientRect().bottom, getComputedStyle(drawn).backgroundColor];
        }"""
    )
    assert terminal == DESKTOP["height"]
    assert background == "rgb(20, 24, 29)"  # of the dark theme


def test_a_second_tab_continues_at_the_same_question_and_then_on_its_own(
    open_tab: Callable[..., Tab],
) -> None:
    one = open_tab()
    to_first_question(one)
    one.press("x")
    one.wait_for("> x")
    other = open_tab(like=one)
    other.wait_for("Continue")
    other.press("enter")
    other.wait_for("> x")
    other.press("y")
    other.wait_for("> xy")
    one.press("z")
    one.wait_for("> xz")
    assert "> xy" in other.text


def test_on_a_phone_keys_are_on_the_page(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(size=PHONE, phone=True)
    tab.wait_for("Welcome to tutor")
    assert 40 <= tab.columns < 50
    tab.page.get_by_role("button", name="Enter").tap()
    tab.wait_for("2 of 4")
    tab.page.get_by_role("button", name="Esc").tap()
    tab.wait_for("From rules")


def test_nothing_comes_from_another_host(open_tab: Callable[..., Tab], server: str) -> None:
    tab = open_tab()
    tab.wait_for("? help")
    assert [url for url in tab.requests if not url.startswith((server, "data:"))] == []


def test_the_page_says_that_the_app_has_ended(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.wait_for("? help")
    tab.press("ctrl+q")
    again = tab.page.get_by_role("button", name="Open it again")
    again.wait_for(timeout=DEADLINE * 1000)
    again.click()
    tab.wait_for("? help")
