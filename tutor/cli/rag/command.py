"""`tutor rag`: index a folder of texts and search the index."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tutor.cli import output
from tutor.cli.interrupted import told_to_stop
from tutor.cli.rag import measure as rag_measure
from tutor.cli.status_line import StatusLine, bar
from tutor.errors import RequestCancelled, UsageError
from tutor.retrieval.errors import RetrievalError
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.retrieval.passage import Found
    from tutor.retrieval.update import Progress

_TOP = 5
_MOST = 100
_EXCERPT = 240
"""The maximum number of characters shown of a passage. `--json` prints whole passages."""


class Hit(msgspec.Struct):
    """One passage in `tutor rag search --json`, which other programs rely on."""

    file: str
    anchor: str
    line: int
    heading: str
    score: float
    text: str
    marks: tuple[tuple[int, int], ...]


def add_to(commands: Any, *parents: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "rag",
        help="index a folder of Markdown or text, and search the index",
        description="Index a folder of Markdown or text, and search the index. The lab `rag` "
        "answers questions from an index.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_index(verbs)
    listing = verbs.add_parser("list", help="list your indexes")
    listing.add_argument("--json", action="store_true", help="print JSON, for other programs")
    listing.set_defaults(run=run_list)
    _add_search(verbs)
    removing = verbs.add_parser("remove", help="delete an index, but not your texts")
    removing.add_argument("name", metavar="NAME", help="the index's name")
    removing.set_defaults(run=run_remove)
    rag_measure.add_to(verbs, *parents)


def _add_index(verbs: Any) -> None:
    parser = verbs.add_parser(
        "index",
        help="index a folder, or update its index",
        description="Index the Markdown and text files in a folder and its subfolders. Files "
        "that have not changed since they were indexed are skipped. If you press Ctrl+C, run the "
        "same command later to continue.",
    )
    parser.add_argument("folder", type=Path, metavar="PATH", help="the folder of your texts")
    parser.add_argument(
        "--name", metavar="NAME", help="the index's name (default: the name of the folder)"
    )
    parser.set_defaults(run=run_index)


def _add_search(verbs: Any) -> None:
    parser = verbs.add_parser("search", help="find the passages that match a query best (BM25)")
    parser.add_argument("query", metavar="QUERY", help="the words to search for")
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="the index to search (default: the one updated last); `course` is this course",
    )
    parser.add_argument(
        "--top", type=int, default=_TOP, metavar="N", help=f"show N passages (default: {_TOP})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for other programs")
    parser.set_defaults(run=run_search)


# --- index --------------------------------------------------------------------------------------


def run_index(options: argparse.Namespace) -> int:
    from tutor.retrieval import store
    from tutor.retrieval.update import update

    if not options.folder.is_dir():
        raise UsageError(
            f"{options.folder} is not a folder.", "Name a folder that contains your texts."
        )
    folder = options.folder.resolve()
    name = options.name or store.name_for(folder)
    line = StatusLine(sys.stderr, always=True)
    with store.opened_to_write(name, folder) as index, told_to_stop() as stopped:
        progress = None
        for progress in update(index, folder):
            if stopped():
                line.clear()
                output.note(f"Stopped. The files indexed so far are kept: {_done(progress)}.")
                raise RequestCancelled("")
            line.show(f"Indexing {name}", figures=figures(progress))
        line.clear()
        listed = index.listed()
    if progress is not None:
        output.write(f"{name}: {_done(progress)}")
        for reason, count in sorted(progress.left_out.items()):
            output.write(f"  skipped  {count:>7,}  {reason}")
    output.write(
        f"  {counted(listed.files, 'file')}, {counted(listed.passages, 'passage')} in total"
    )
    return 0


def _done(progress: Progress) -> str:
    parts = (
        (progress.new, "new"),
        (progress.changed, "changed"),
        (progress.gone, "removed"),
        (progress.unchanged, "unchanged"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in parts if count) or "no files"


def figures(progress: Progress) -> str:
    if not progress.total:
        return "searching for files"
    left = "" if progress.seconds_left is None else f"  {round(progress.seconds_left)} s left"
    done = bar(progress.done, progress.total)
    return f"{done}  {progress.done:,} of {progress.total:,}{left}"


# --- list, search, remove ----------------------------------------------------------------------


def run_list(options: argparse.Namespace) -> int:
    from tutor.retrieval import store

    listed = []
    for name in store.names():
        try:
            with store.opened(name) as index:
                listed.append(index.listed())
        except RetrievalError as error:  # list the other indexes even if one is damaged
            output.complain(error)
    if options.json:
        output.write_json(listed)
        return 0
    if not listed:
        output.note("You have no index yet. Index a folder with `tutor rag index PATH`.")
    for each in listed:
        size = f"{each.bytes / 1e6:.1f} MB" if each.bytes >= 1e6 else f"{each.bytes / 1e3:.0f} kB"
        counts = f"{each.files:>8,} files {each.passages:>9,} passages {size:>10}"
        output.write(f"{each.name:<20}{counts}  {each.folder}")
    return 0


def run_search(options: argparse.Namespace) -> int:
    from tutor.retrieval.full_text import words

    if not 1 <= options.top <= _MOST:
        raise UsageError(f"--top is {options.top}.", f"Use a number from 1 to {_MOST}.")
    if not words(options.query):
        raise UsageError(
            f"{options.query!r} contains no words.",
            "Search for one or more words. Symbols such as * have no effect.",
        )
    name, found = _search(options)
    if options.json:
        output.write_json([hit(each) for each in found])
        return 0
    if not found:
        output.note(f"No passage in {name} contains any of these words.")
    for rank, each in enumerate(found, start=1):
        passage = each.passage
        output.write(f"{rank:>3}  {each.score:6.2f}  {passage.id}, line {passage.line}")
        output.write(f"             {passage.heading}")
        output.write(f"             {_excerpt(each)}")
    return 0


def _search(options: argparse.Namespace) -> tuple[str, list[Found]]:
    from tutor.retrieval import store

    names = store.names()
    name = options.name or (names[0] if names else store.COURSE)
    if name == store.COURSE:
        from tutor.course.catalogue import load_course
        from tutor.course.passages import course_passages
        from tutor.retrieval.full_text import MemoryIndex

        index = MemoryIndex(course_passages(load_course()))
        return name, index.find(options.query, options.top)
    with store.opened(name) as stored:
        return name, stored.search(options.query, options.top)


def hit(found: Found) -> Hit:
    at = found.passage
    return Hit(at.source, at.anchor, at.line, at.heading, found.score, at.text, found.marks)


def _excerpt(found: Found) -> str:
    """Return one line of text around the first match."""
    begin = max(0, found.marks[0][0] - _EXCERPT // 3) if found.marks else 0
    text = found.passage.text
    excerpt = " ".join(text[begin : begin + _EXCERPT].split())
    return f"{'… ' if begin else ''}{excerpt}{' …' if begin + _EXCERPT < len(text) else ''}"


def run_remove(options: argparse.Namespace) -> int:
    from tutor.retrieval import store

    store.remove(options.name)
    output.write(f"Removed the index {options.name}. Your texts are unchanged.")
    return 0
