"""Test the HTML page and the Markdown file of a shared text, above all that text stays text."""

from __future__ import annotations

from html.parser import HTMLParser

import markdown_it
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engine.fake_engine import split
from tests.sharing.shared_texts import PROMPT, shared
from tutor.lm.distribution import SamplerSettings, Token
from tutor.sharing.document import SharedAttribution, SharedIntervention, SharedText, SharedToken
from tutor.sharing.html import content_policy, to_html
from tutor.sharing.markdown import escaped, to_markdown
from tutor.text import decoded, safe

HOSTILE = (
    "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'>&amp;&#60;"
    "<!-- --><![CDATA[ ]]></div></a><a href='javascript:x'>\x1b[31m\u202e\x00\r\n``` | a | \\"
)


class Page(HTMLParser):
    """The parts of a page that a test looks at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tokens: list[str] = []
        self.titles = ""
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._open = tag
        if tag == "a":
            self.tokens.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "a":
            self.tokens[-1] += data
        if self._open == "title":
            self.titles += data


def as_tokens(text: str, size: int = 3) -> list[Token]:
    data = text.encode("utf-8", "surrogatepass")
    parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    return [Token(n % 300, part.decode("utf-8", "replace"), part) for n, part in enumerate(parts)]


def bare(text: SharedText) -> SharedText:
    return replace(text, distributions=())


@given(st.text(max_size=40))
def test_any_text_stays_text_on_the_page(said: str) -> None:
    tokens = as_tokens(said)
    page = Page(to_html(bare(shared(tokens))))
    harmless = [Token(each.id, "x", b"x") for each in tokens]
    assert "".join(page.tokens) == "".join(decoded(each.data for each in tokens))
    assert page.tags == Page(to_html(bare(shared(harmless)))).tags


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_hostile_text_adds_no_element_and_no_attribute(size: int) -> None:
    hostile = as_tokens(HOSTILE, size)
    harmless = [Token(each.id, "x" * len(each.text), b"x" * len(each.data)) for each in hostile]
    page, other = Page(to_html(shared(hostile))), Page(to_html(shared(harmless)))
    assert page.tags == other.tags
    assert {name for name, _ in page.attributes} == {name for name, _ in other.attributes}
    assert "".join(page.tokens) == safe(HOSTILE)
    assert page.titles
    assert "<script" not in to_html(shared(hostile))


def test_names_and_notes_from_a_file_stay_text() -> None:
    text = shared()
    model = replace(text.model, name=HOSTILE, format=HOSTILE, kernel=HOSTILE, sha256=HOSTILE)
    text = replace(
        text,
        model=model,
        tutor=HOSTILE,
        interventions=(SharedIntervention(kind=HOSTILE, description=HOSTILE),),
    )
    assert "<script" not in to_html(text)
    assert "<script" not in to_markdown(text)


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    page = to_html(shared())
    parsed = Page(page)
    assert "script" not in parsed.tags
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(parsed.tags)
    assert "url(" not in page
    assert "@import" not in page
    assert "://" not in page
    assert all(
        value and value.startswith("#") for name, value in parsed.attributes if name == "href"
    )
    assert not any(name.startswith("on") or name == "style" for name, _ in parsed.attributes)
    (policy,) = (value for _, value in parsed.attributes if value == content_policy())
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_page_shows_the_rows_the_settings_and_the_choice() -> None:
    text = shared(sampler=SamplerSettings(temperature=0.5, top_k=2))
    page = to_html(text)
    for said in ("␣Paris", "69.3 %", "cut by top-k", "temperature 0.5, top-k 2", "Fake-1K"):
        assert said in page
    for said in ("chosen by the user", "35.4 %", "1.50 bits", "f" * 64, "tutor 1.0"):
        assert said in page
    assert page.count("<a ") == len(text.current.tokens)


def test_a_conversation_is_not_named_by_its_template() -> None:
    page = to_html(replace(shared(), mode="chat"))
    assert "<title>A conversation with Fake-1K</title>" in page


def test_attributions_are_listed() -> None:
    token = SharedToken(id=1, hex=b" Paris".hex())
    found = SharedAttribution(
        position=5,
        target=token,
        against=replace(token, hex=b"<b>".hex()),
        logit=3.0,
        embedding=0.5,
        heads=((1.0, -2.0),),
        feed_forward=(3.5,),
        steering=-0.25,
    )
    page = to_html(replace(shared(), attributions=(found,)))
    assert "␣Paris rather than &lt;b&gt; after 5 tokens: 3.00 in total." in page
    assert page.index("+3.50") < page.index("-2.00") < page.index("+1.00") < page.index("+0.50")
    assert page.index("+0.50") < page.index("steering vector") < page.index("-0.25")
    assert "layer 1, head 2" in page
    assert "layer 1, head 2" in to_markdown(replace(shared(), attributions=(found,))).replace(
        "\\", ""
    )


@given(st.text(max_size=30))
def test_markdown_shows_any_text_as_it_is(said: str) -> None:
    tokens = markdown_it.MarkdownIt("commonmark").parseInline(f"x{escaped(said)}x")
    shown = "".join(
        child.content or " " * (child.type == "softbreak")
        for each in tokens
        for child in each.children or ()
    )
    assert shown == f"x{' '.join(safe(said).split(chr(10)))}x"


def test_markdown_leaves_numbers_as_they_are() -> None:
    """The file is also read without a viewer, and a dot between digits needs no backslash."""
    assert escaped("Entropy 1.45 bits, 77.6 %, tutor 0.1.0") == (
        "Entropy 1.45 bits, 77.6 %, tutor 0.1.0"
    )
    assert escaped("www.1.example.org") == r"www\.1\.example\.org"


def test_markdown_has_the_text_in_a_fence_that_it_cannot_end() -> None:
    text = shared(split("````\n# no heading\n<b>x</b> | y"))
    page = to_markdown(text)
    parsed = markdown_it.MarkdownIt("commonmark").enable("table").parse(page)
    (fence,) = (each for each in parsed if each.type == "fence")
    assert fence.content == "````\n# no heading\n<b>x</b> | y\n"
    assert [each.tag for each in parsed if each.type == "heading_open"] == ["h1", "h2"]
    assert not any("html" in each.type for each in parsed)


def test_markdown_lists_every_token() -> None:
    page = to_markdown(shared()).replace("\\", "")
    assert f"# {PROMPT} Paris" in page
    assert "␣Paris 69.3 %" in page
    assert "| 6 | ␣Paris | chosen by the user | 35.4 % | 1.42 |" in page
