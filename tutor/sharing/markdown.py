"""Write a shared text as Markdown with tables, as GitHub and many editors show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.language import _
from tutor.sharing import summary
from tutor.sharing.summary import percent
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tutor.sharing.document import SharedDistribution, SharedText
    from tutor.sharing.summary import Place

_LIKELY = 5
"""The number of likely tokens to show for each position."""
_MARKS = re.compile(r"([\\`*_\[\]<>|~&$#:@]|(?<=\w)\.(?=[^\W\d])|(?<=[^\W\d])\.(?=\w))")
"""The characters that are Markdown syntax within a line, and the dots within words, which could
turn an address into a link. A dot between two digits is part of a number, such as 0.5."""


def to_markdown(text: SharedText) -> str:
    """Return Markdown with the text, the settings that produced it, and a table of its tokens."""
    lines = [f"# {escaped(summary.title(text))}", ""]
    lines += _table(
        (_("setting"), _("value")), ((name, value) for name, value in summary.facts(text))
    )
    lines += ["", *_fenced("".join(each.text for each in summary.places(text))), ""]
    columns = (_("token"), _("text"), _("how"), _("probability"), _("entropy"), _("most probable"))
    lines += _table(columns, map(_cells, summary.places(text)))
    if (found := summary.next_token(text)) is not None:
        lines += ["", f"## {_('The next token')}", "", escaped(summary.about(found)), ""]
        lines += _table((_("rank"), _("token"), _("probability"), _("logit")), _rows(found))
    for each in text.attributions:
        lines += ["", f"## {_('Why')}", "", escaped(summary.explained(each)), ""]
        parts = ((name, f"{logits:+.2f}") for name, logits in summary.contributions(each))
        lines += _table((_("part"), _("logits")), parts)
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return `text` on one line, escaped so that Markdown shows it literally."""
    return _MARKS.sub(r"\\\1", " ".join(safe(text).split("\n"))).replace("\\<", "&lt;")


def _fenced(text: str) -> list[str]:
    """Return a code block whose fence is longer than every run of backticks in the text."""
    runs = re.findall(r"`+", text)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return [f"{fence}text", text, fence]


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = tuple(columns)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(escaped(cell) for cell in row) + " |"


def _cells(place: Place) -> Iterator[str]:
    yield str(place.number)
    yield summary.shown(place.step)
    yield summary.HOW[place.step.how]
    yield percent(place.probability) if place.probability is not None else ""
    found = place.found
    entropy = found.entropy_bits if found is not None else None
    yield "" if entropy is None else f"{entropy:.2f}"
    yield (
        ""
        if found is None
        else " · ".join(
            f"{summary.shown(row)} {percent(row.probability)}" for row in found.rows[:_LIKELY]
        )
    )


def _rows(found: SharedDistribution) -> Iterator[Iterable[str]]:
    for row in found.rows:
        logit = "?" if row.logit is None else f"{row.logit:.2f}"
        yield f"{row.rank:,}", summary.shown(row), percent(row.probability), logit
