"""Describe the state of the retrieval lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.rag.lab import VIEWS
from tutor.labs.rag.quality import figures, right
from tutor.language import _
from tutor.plain.words import ended, percent, quoted_text
from tutor.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.rag.attempt import Attempt
    from tutor.labs.rag.lab import State
    from tutor.labs.rag.questions import Hit, Kind

HELP = {
    "edit": _("Ask a question. With field=poison: add a false passage."),
    "choose": _("Choose another example, another source of texts, or another way to search."),
    "toggle": _("Switch retrieval off or on, or go to the other part: asking or measuring."),
    "adjust": _("Put more or fewer passages into the prompt."),
    "run": _("Measure the search methods and the answers, or stop."),
}
_LONGEST = 300
_KINDS: dict[Kind, str] = {
    "words": _("keyword search"),
    "meaning": _("semantic search"),
    "both": _("keyword and semantic search merged"),
    "encoder": _("semantic search with the sentence encoder"),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the question and its answer, or about the measurement."""
    if state.part == "measure":
        return {"measured": list(_measured(state))}
    attempt = state.attempt
    return {
        "question": [_("Question: {text}").format(text=ended(attempt.query))],
        "search": list(_search(state)),
        "passages": list(_passages(state, attempt)),
        "answer": list(_answer(attempt)),
        "shown": list(_shown(state)) if state.view != VIEWS[0] else [],
    }


def _search(state: State) -> Iterator[str]:
    if not state.retrieving:
        yield _("Retrieval is off.")
        return
    yield _("Source: {source}. Method: {kind}. The prompt contains up to {passages}.").format(
        source=state.way.source,
        kind=_KINDS[state.way.kind],
        passages=counted(state.count, "passage"),
    )
    if state.way.poison:
        yield _("False passage: {text}").format(text=ended(state.way.poison))
    if (so_far := state.read_so_far) is not None:
        yield _("{done} of {total} passages have a vector.").format(
            done=so_far.done, total=so_far.total
        )


def _passages(state: State, attempt: Attempt) -> Iterator[str]:
    for at, hit in enumerate(attempt.hits or ()):
        notes = [
            note
            for true, note in (
                (at == state.focus, _("selected")),
                (hit.false, _("false")),
                (not hit.kept, _("not in the prompt")),
                (hit in attempt.cited, _("cited")),
            )
            if true
        ]
        yield _("Passage {number}: {heading}, score {score:.2f}{notes}.").format(
            number=at + 1,
            heading=hit.passage.heading,
            score=hit.score,
            notes="".join(f", {note}" for note in notes),
        )
        if at == state.focus:
            yield _text(hit)


def _text(hit: Hit) -> str:
    return ended(one_line(hit.passage.text, _LONGEST))


def _answer(attempt: Attempt) -> Iterator[str]:
    if not attempt.ended:
        return
    yield _("Answer: {text}").format(text=quoted_text(attempt.said))
    if not attempt.done or attempt.alone is None:
        return
    yield _("After the question alone, the answer's surprisal is {bits:.1f} bits.").format(
        bits=attempt.alone
    )
    for hit, gain in zip(attempt.given, attempt.gains, strict=True):
        yield _("The passage {heading} reduces the surprisal by {gain:.1f} bits.").format(
            heading=hit.passage.heading, gain=gain
        )
    if not attempt.cited:
        yield _("The answer cites no passage.")


def _shown(state: State) -> Iterator[str]:
    if state.view == "prompt":
        yield from (line for line in state.attempt.prompt.splitlines() if line.strip())
        return
    for each in reversed(state.past):
        yield _("Earlier: {question} {answer}").format(
            question=ended(each.query), answer=ended(each.said)
        )


def _measured(state: State) -> Iterator[str]:
    quality = state.quality
    done, total = quality.searched
    yield _("{done} of {total} searches done.").format(done=done, total=total)
    for kind in quality.kinds:
        found = figures(quality, kind)
        if found is not None:
            yield _("{kind}: recall at 5 is {recall}, MRR {mrr:.2f}.").format(
                kind=_KINDS[kind].capitalize(), recall=percent(found.recall), mrr=found.mrr
            )
    for with_passages, how in ((True, _("With passages")), (False, _("Without passages"))):
        good, count = right(quality, with_passages=with_passages)
        if count:
            yield _("{how}: {right} of {count} answers are right.").format(
                how=how, right=good, count=count
            )
