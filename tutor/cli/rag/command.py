"""Implement `tutor rag`, which indexes a folder of texts and searches the index."""

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
from tutor.language import _
from tutor.retrieval.errors import RetrievalError
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.retrieval.passage import Found
    from tutor.retrieval.update import Progress

_TOP = 5
_MOST = 100
_EXCERPT = 240
"""The maximum number of characters of a passage to print. `--json` prints whole passages."""


class Hit(msgspec.Struct):
    """One passage in the output of `tutor rag search --json`.

    Other programs depend on its fields.
    """

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
        help=_("index a folder of Markdown or text files, and search the index"),
        description=_(
            "Index a folder of Markdown or text files, and search the index. The `rag` lab "
            "answers questions from an index."
        ),
    )
    verbs = parser.add_subparsers(title=_("verbs"), metavar="VERB", required=True)
    _add_index(verbs)
    listing = verbs.add_parser("list", help=_("list your indexes"))
    listing.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    listing.set_defaults(run=run_list)
    _add_search(verbs)
    removing = verbs.add_parser("remove", help=_("delete an index, but not your texts"))
    removing.add_argument("name", metavar="NAME", help=_("the index's name"))
    removing.set_defaults(run=run_remove)
    rag_measure.add_to(verbs, *parents)


def _add_index(verbs: Any) -> None:
    parser = verbs.add_parser(
        "index",
        help=_("index a folder, or update its index"),
        description=_(
            "Index the Markdown and text files in a folder and its subfolders. Files "
            "that have not changed since they were indexed are skipped. If you press Ctrl+C, run "
            "the "
            "same command later to continue."
        ),
    )
    parser.add_argument(
        "folder", type=Path, metavar="PATH", help=_("the folder that contains your texts")
    )
    parser.add_argument(
        "--name", metavar="NAME", help=_("the index's name (default: the name of the folder)")
    )
    parser.set_defaults(run=run_index)


def _add_search(verbs: Any) -> None:
    parser = verbs.add_parser("search", help=_("find the passages that match a query best (BM25)"))
    parser.add_argument("query", metavar="QUERY", help=_("the words to search for"))
    parser.add_argument(
        "--name",
        metavar="NAME",
        help=_(
            "the index to search (default: the most recently updated one); `course` is this course"
        ),
    )
    parser.add_argument(
        "--top",
        type=int,
        default=_TOP,
        metavar="N",
        help=_("show N passages (default: {top})").format(top=_TOP),
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.set_defaults(run=run_search)


# --- index --------------------------------------------------------------------------------------


def run_index(options: argparse.Namespace) -> int:
    from tutor.retrieval import store
    from tutor.retrieval.update import update

    if not options.folder.is_dir():
        raise UsageError(
            _("{folder} is not a folder.").format(folder=options.folder),
            "Name a folder that contains your texts.",
        )
    folder = options.folder.resolve()
    name = options.name or store.name_for(folder)
    line = StatusLine(sys.stderr, always=True)
    with store.opened_to_write(name, folder) as index, told_to_stop() as stopped:
        progress = None
        for progress in update(index, folder):
            if stopped():
                line.clear()
                output.note(
                    _(
                        "Stopped. The files indexed so far are kept ({done}). To continue, run "
                        "the same command again."
                    ).format(done=_done(progress))
                )
                raise RequestCancelled("")
            line.show(_("Indexing {name}").format(name=name), figures=figures(progress))
        line.clear()
        listed = index.listed()
    if progress is not None:
        output.write(f"{name}: {_done(progress)}")
        for reason, count in sorted(progress.left_out.items()):
            output.write(_("  skipped  {count:>7,}  {reason}").format(count=count, reason=reason))
    output.write(
        _("  {files}, {passages} in total").format(
            files=counted(listed.files, "file"), passages=counted(listed.passages, "passage")
        )
    )
    return 0


def _done(progress: Progress) -> str:
    parts = (
        (progress.new, "new"),
        (progress.changed, "changed"),
        (progress.gone, "removed"),
        (progress.unchanged, "unchanged"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in parts if count) or _("no files")


def figures(progress: Progress) -> str:
    if not progress.total:
        return _("searching for files")
    left = (
        ""
        if progress.seconds_left is None
        else _("  {seconds_left} s left").format(seconds_left=round(progress.seconds_left))
    )
    done = bar(progress.done, progress.total)
    return _("{done}  {done2:,} of {total:,}{left}").format(
        done=done, done2=progress.done, total=progress.total, left=left
    )


# --- list, search, remove ----------------------------------------------------------------------


def run_list(options: argparse.Namespace) -> int:
    from tutor.retrieval import store

    listed = []
    for name in store.names():
        try:
            with store.opened(name) as index:
                listed.append(index.listed())
        except RetrievalError as error:  # List the other indexes even if one of them is damaged.
            output.complain(error)
    if options.json:
        output.write_json(listed)
        return 0
    if not listed:
        output.note(_("You have no index yet. Index a folder with `tutor rag index PATH`."))
    for each in listed:
        size = (
            _("{bytes:.1f} MB").format(bytes=each.bytes / 1e6)
            if each.bytes >= 1e6
            else _("{bytes:.0f} kB").format(bytes=each.bytes / 1e3)
        )
        counts = _("{files:>8,} files {passages:>9,} passages {size:>10}").format(
            files=each.files, passages=each.passages, size=size
        )
        output.write(f"{each.name:<20}{counts}  {each.folder}")
    return 0


def run_search(options: argparse.Namespace) -> int:
    from tutor.retrieval.full_text import words

    if not 1 <= options.top <= _MOST:
        raise UsageError(
            _("--top is {top}.").format(top=options.top),
            _("Use a number from 1 to {most}.").format(most=_MOST),
        )
    if not words(options.query):
        raise UsageError(
            _("{query!r} contains no words.").format(query=options.query),
            "Search for one or more words. Symbols such as * have no effect.",
        )
    name, found = _search(options)
    if options.json:
        output.write_json([hit(each) for each in found])
        return 0
    if not found:
        output.note(_("No passage in {name} contains any of these words.").format(name=name))
    for rank, each in enumerate(found, start=1):
        passage = each.passage
        output.write(
            _("{rank:>3}  {score:6.2f}  {id}, line {line}").format(
                rank=rank, score=each.score, id=passage.id, line=passage.line
            )
        )
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
    """Return an excerpt from a passage around the first match, on one line."""
    begin = max(0, found.marks[0][0] - _EXCERPT // 3) if found.marks else 0
    text = found.passage.text
    excerpt = " ".join(text[begin : begin + _EXCERPT].split())
    return f"{'… ' if begin else ''}{excerpt}{' …' if begin + _EXCERPT < len(text) else ''}"


def run_remove(options: argparse.Namespace) -> int:
    from tutor.retrieval import store

    store.remove(options.name)
    output.write(_("Removed the index {name}. Your texts are unchanged.").format(name=options.name))
    return 0
