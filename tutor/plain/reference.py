"""Glossary lookups and course search in plain mode."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tutor.course.search import search
from tutor.language import _
from tutor.plain import markdown, words

if TYPE_CHECKING:
    from tutor.course.term import Term
    from tutor.plain.place import Services

_MOST = 8


def say_term(services: Services, name: str) -> None:
    """Print the explanation of a term, or list the terms that contain `name`."""
    wanted = name.casefold().strip()
    terms = services.course.glossary.values()
    exact = [each for each in terms if wanted in (each.term.casefold(), each.id)]
    near = [each for each in terms if wanted and wanted in each.term.casefold()]
    if exact:
        _explain(services, exact[0])
    elif len(near) == 1:
        _explain(services, near[0])
    elif near:
        names = words.listed([each.term for each in near[:_MOST]])
        services.voice.say(
            _("Several terms match. Type term and one of: {names}.").format(names=names)
        )
    else:
        services.voice.say(_("The glossary has no such term. Type search and the word instead."))


def _explain(services: Services, term: Term) -> None:
    first, *rest = markdown.read(term.text).lines or ("",)
    services.voice.say(f"{term.term}: {first}", *rest)


async def say_search(services: Services, wanted: str) -> None:
    """Search the course, and print the first results."""
    if not wanted:
        services.voice.say(_("Type search and the words to search for."))
        return
    hits = await asyncio.to_thread(search, services.course, wanted, _MOST)
    if not hits:
        services.voice.say(_("Nothing was found for {wanted}.").format(wanted=wanted))
    for hit in hits:
        services.voice.say(f"{hit.kind.capitalize()} {hit.title}: {words.spoken(hit.excerpt)}")
