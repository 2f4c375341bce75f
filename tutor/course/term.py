"""Define a glossary term."""

import msgspec


class Term(msgspec.Struct, frozen=True):
    """A term and its definition in Markdown."""

    id: str
    term: str
    text: str
