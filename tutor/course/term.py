"""A term of the glossary."""

import msgspec


class Term(msgspec.Struct, frozen=True):
    """A term and what it means, as Markdown."""

    id: str
    term: str
    text: str
