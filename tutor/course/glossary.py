"""Read the glossary, `glossary.md`. Each entry is a heading `## Term {#id}` and a definition."""

import msgspec
from markdown_it.token import Token

from tutor.course.links import Link, follow
from tutor.course.questions.spelling import plain
from tutor.course.reading.headings import title_and_id
from tutor.course.reading.markup import markdown, refused
from tutor.course.reading.place import Place, checked
from tutor.course.term import Term
from tutor.errors import LessonError

LONGEST = 600
"""The maximum number of characters in a definition."""


class Glossary(msgspec.Struct, frozen=True):
    """The result of reading a glossary.

    `terms` has the valid terms, sorted by name. `lines` maps the id of a term to its line, `links`
    are the links to lessons, and `problems` are all the problems that were found.
    """

    terms: tuple[Term, ...] = ()
    problems: tuple[LessonError, ...] = ()
    lines: dict[str, int] = {}
    links: tuple[Link, ...] = ()


def read_glossary(text: str, where: str) -> Glossary:
    """Read a glossary, and collect all problems instead of raising the first one."""
    start = Place(where)
    try:
        text = checked(text, where)
    except LessonError as problem:
        return Glossary(problems=(problem,))
    tokens = markdown().parse(text)
    problems = list(refused(tokens, start, title=True))
    terms: dict[str, Term] = {}
    lines: dict[str, int] = {}
    for heading, begin, end in _sections(tokens, text.count("\n") + 1):
        place = start.below(begin)
        try:
            title, name = title_and_id(heading, place)
            if name in terms:
                raise place.error(
                    f"The id {name!r} is already used on line {lines[name]}.",
                    "Choose another id.",
                )
            body = "\n".join(text.split("\n")[begin + 1 : end]).strip()
            if not body or len(body) > LONGEST:
                raise place.error(
                    f"The definition of {title!r} has {len(body)} characters;"
                    f" it must have 1 to {LONGEST}.",
                    "Write one or two sentences.",
                )
        except LessonError as problem:
            problems.append(problem)
            continue
        terms[name] = Term(name, title, body)
        lines[name] = place.line
    links, dead = follow(tokens, start, terms.keys(), where, "term")
    problems += dead
    return Glossary(
        tuple(sorted(terms.values(), key=lambda term: (plain(term.term), term.id))),
        tuple(sorted(problems, key=lambda problem: problem.line)),
        lines,
        links,
    )


def _sections(tokens: list[Token], length: int) -> list[tuple[Token, int, int]]:
    """Return the `##` headings as inline tokens, with the lines where their sections begin and end.

    Lines are counted from 0, and the end is excluded.
    """
    found = [
        (tokens[index + 1], token.map[0])
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0 and token.map
    ]
    begins = [begin for _, begin in found]
    ends = [*begins, length][1:]
    return [(heading, begin, end) for (heading, begin), end in zip(found, ends, strict=True)]
