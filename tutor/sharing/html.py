"""Write a shared text as an HTML page that needs no other file, no network and no JavaScript.

The page is built as a tree of elements, and the serializer escapes all text. The rows of a token
are hidden until the reader points at the token, taps it or moves the focus to it. This is done in
CSS. The content security policy of the page forbids scripts and all requests.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from tutor.language import _
from tutor.sharing import summary
from tutor.sharing.summary import LEVELS, percent
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.sharing.document import SharedDistribution, SharedText
    from tutor.sharing.summary import Place

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --soft: #59636e; --line: #d1d9e0;
  --act: #0b57d0; --card: #f6f8fa;
  --q1: #dff3e4; --q2: #e9f0d4; --q3: #fbeec2; --q4: #fcdcb8; --q5: #f9c9c4; }
@media (prefers-color-scheme: dark) { :root { --bg: #0f1419; --fg: #e6e9ee; --soft: #9aa5b1;
  --line: #38424d; --act: #8ab4f8; --card: #182028;
  --q1: #17402a; --q2: #36401c; --q3: #4c3f12; --q4: #5a3416; --q5: #672924; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 20vh; }
body { margin: 0 auto; padding: 1rem 1rem 22rem; max-width: 52rem; background: var(--bg);
  color: var(--fg); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; line-height: 1.3; overflow-wrap: anywhere; margin: .5rem 0; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; font-size: .875rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 1.125rem; line-height: 2;
  border-block: 1px solid var(--line); padding: .75rem 0; }
.t { color: inherit; text-decoration: none; border-radius: 3px; padding: .15em 0;
  border-bottom: 2px solid transparent; }
.special { color: var(--soft); font-size: .8em; }
.q1 { background: var(--q1); } .q2 { background: var(--q2); }
.q3 { background: var(--q3); border-bottom-color: var(--line); }
.q4 { background: var(--q4); border-bottom: 2px dotted currentColor; }
.q5 { background: var(--q5); border-bottom: 2px solid currentColor; }
.chosen { font-weight: 600; }
.t:hover, .t:focus, .t:target { outline: 2px solid var(--act); outline-offset: 1px; }
.rows { display: none; position: fixed; z-index: 1; inset: auto 0 0 0; height: 20rem;
  max-height: 55vh; overflow: auto; padding: .5rem max(1rem, calc(50vw - 25rem)) 1rem;
  background: var(--card); border-top: 2px solid var(--act); white-space: normal;
  font-size: 1rem; line-height: 1.5; }
.t:target + .rows { display: block; }
.t:focus + .rows { display: block; z-index: 2; }
.t:hover + .rows { display: block; z-index: 3; }
.rows:hover { display: block; z-index: 4; }
.rows p, caption { margin: 0; text-align: left; font-size: .875rem; color: var(--soft); }
.rows .name, .tok { font-family: ui-monospace, monospace; overflow-wrap: anywhere;
  color: var(--fg); min-width: 6rem; }
.rows .name { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.35; }
th { text-align: left; font-weight: 400; color: var(--soft); }
td, th { padding: .1rem .5rem .1rem 0; vertical-align: top; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td.n:first-child { width: 3rem; }
.is { font-weight: 700; }
.cut { color: var(--soft); }
meter { width: 100%; min-width: 4rem; height: .75rem; }
.legend span { padding: .1rem .4rem; margin-right: .25rem; white-space: nowrap; }
.legend, footer { font-size: .875rem; color: var(--soft); }
@media (max-width: 30rem) { .wide { display: none; } }
"""


def to_html(text: SharedText) -> str:
    """Return the page."""
    page = Element("html", lang="en")
    _add_head(page, summary.title(text))
    body = SubElement(page, "body")
    _add(body, "h1", summary.title(text))
    _add_facts(body, text)
    _add(
        body,
        "p",
        _("Point at a token, tap it, or press Tab, to see which tokens the model expected there."),
    )
    _add_legend(body)
    flow = SubElement(SubElement(body, "main"), "div", {"class": "text"})
    for place in summary.places(text):
        _add_place(flow, place, sampled=not text.sampler.plain)
    if (found := summary.next_token(text)) is not None:
        _add(body, "h2", _("The next token"))
        _add(body, "p", summary.about(found))
        _add_rows(body, found, None, sampled=not text.sampler.plain)
    _add_attributions(body, text)
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _add(parent: Element, tag: str, text: str, class_: str = "") -> Element:
    """Add an element with text, in which control characters are made visible."""
    child = SubElement(parent, tag, {"class": class_} if class_ else {})
    child.text = safe(text)
    return child


def _add_head(page: Element, title: str) -> None:
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": content_policy()})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "meta", name="referrer", content="no-referrer")
    _add(head, "title", title)
    SubElement(head, "style").text = STYLE


def content_policy() -> str:
    """Return the content security policy, which allows only the page's own style sheet."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _add_facts(body: Element, text: SharedText) -> None:
    listed = SubElement(body, "dl")
    for name, value in summary.facts(text):
        _add(listed, "dt", name)
        _add(listed, "dd", value)


def _add_legend(body: Element) -> None:
    legend = _add(body, "p", _("Probability: "), "legend")
    above = [_("at least {percent}").format(percent=percent(each)) for each in LEVELS[:-1]]
    for level, said in enumerate((*above, _("less")), 1):
        _add(legend, "span", said, f"q{level}").tail = " "


def _add_place(flow: Element, place: Place, *, sampled: bool) -> None:
    """Add a token, followed by its rows."""
    classes = ["t", *([f"q{place.level}"] if place.level else [])]
    classes += ["special"] * place.step.special + ["chosen"] * (place.step.how == "chosen")
    name = f"t{place.number}"
    link = _add(flow, "a", place.text, " ".join(classes))
    link.attrib |= {"id": name, "href": f"#{name}", "aria-describedby": f"r{place.number}"}
    rows = SubElement(flow, "div", {"class": "rows", "id": f"r{place.number}"})
    said = _add(rows, "p", "")
    _add(said, "span", summary.shown(place.step), "name").tail = ": " + ", ".join(place.facts())
    if place.found is not None:
        _add(rows, "p", summary.about(place.found))
        _add_rows(rows, place.found, place.step.id, sampled=sampled)


def _add_rows(
    parent: Element, found: SharedDistribution, actual: int | None, *, sampled: bool
) -> None:
    """Add the table of a distribution. `actual` is the id of the token in the text."""
    table = SubElement(parent, "table")
    heading = SubElement(SubElement(table, "thead"), "tr")
    _add(heading, "th", _("rank"), "n")
    _add(heading, "th", _("token"))
    _add(heading, "th", _("probability"), "n")
    if sampled:
        _add(heading, "th", _("sampled"), "n")
    _add(heading, "th", "", "wide")
    # with both columns, the table would be too wide for a phone
    score = "n wide" if sampled else "n"
    _add(heading, "th", _("logit") if found.vocabulary_size else _("ln p"), score)
    rows = SubElement(table, "tbody")
    for row in found.rows:
        classes = ["is"] * (row.id == actual) + ["cut"] * (row.cut is not None)
        line = SubElement(rows, "tr", {"class": " ".join(classes)} if classes else {})
        _add(line, "td", f"{row.rank:,}", "n")
        _add(line, "td", ("› " if row.id == actual else "") + summary.shown(row), "tok")
        _add(line, "td", percent(row.probability), "n")
        if sampled:
            after = _("cut by {cut}").format(cut=row.cut) if row.cut else None
            _add(line, "td", after or percent(row.sampled_probability), "n")
        bar = SubElement(line, "td", {"class": "wide", "aria-hidden": "true"})
        SubElement(bar, "meter", min="0", max="1", value=f"{row.probability or 0:.4f}")
        _add(line, "td", "?" if row.logit is None else f"{row.logit:.2f}", score)


def _add_attributions(body: Element, text: SharedText) -> None:
    for found in text.attributions:
        _add(body, "h2", _("Why"))
        _add(body, "p", summary.explained(found))
        listed = SubElement(body, "table")
        for name, logits in summary.contributions(found):
            line = SubElement(listed, "tr")
            _add(line, "td", name)
            _add(line, "td", f"{logits:+.2f}", "n")
