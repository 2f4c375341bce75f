"""A term of the glossary."""

from __future__ import annotations

import msgspec


class Term(msgspec.Struct, frozen=True):
    """A term and what it means, as Markdown."""

    id: str
    term: str
    text: str
