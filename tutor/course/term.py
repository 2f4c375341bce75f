"""A term of the glossary."""

import msgspec


class Term(msgspec.Struct, frozen=True):
    """A term and its meaning, as Markdown."""

    id: str
    term: str
    text: str
