"""Draws the parts, prompt and versions views of the prompting lab, and the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import figures
from tutor.labs.kit.columns import ROOMY, around, cursor, pointer, wrapped
from tutor.labs.kit.heat import percent
from tutor.labs.kit.intervals import interval_line, percent_range
from tutor.labs.kit.progress_line import progress_line
from tutor.labs.kit.prompts.questions import Read
from tutor.labs.kit.prompts.scores import difference, outcome_of, score
from tutor.labs.kit.prompts.tasks import tasks
from tutor.labs.kit.prompts.version import PARTS, differing, idle, plain_version
from tutor.labs.kit.tabs import tabs
from tutor.labs.prompting.item_lines import GLYPHS, pending
from tutor.labs.prompting.lab import VIEWS
from tutor.labs.prompting.remote import plan
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from tutor.labs.kit.prompts.scores import Trial
    from tutor.labs.kit.prompts.version import Part, Version
    from tutor.labs.prompting.lab import State
    from tutor.labs.prompting.remote import Plan

NAMES: dict[Part, str] = {
    "frame": "frame",
    "system": "system message",
    "role": "role",
    "instruction": "instruction",
    "steps": "steps",
    "rule": "output rule",
    "place": "rule position",
    "marks": "delimiters",
    "examples": "examples",
    "order": "example order",
    "begin": "answer prefix",
    "temperature": "temperature",
}
_FRAMES = {"chat": "chat, one message", "turns": "chat, examples as turns", "text": "plain text"}
_NAME = 15


def heading(state: State, width: int) -> Content:
    """Return the task's title and the tabs."""
    names = tabs((name, name == state.view) for name in VIEWS)
    title = figures.fit(state.about.title, max(0, min(32, width - names.cell_length)))
    if len(title) < 12:
        return Content.assemble(pointer(True), (state.view, "bold"))
    return Content.assemble((title, "bold"), names)


def parts(state: State, width: int, rows: int) -> list[Content]:
    """Return a table of the parts of A and B that marks the differences."""
    name = _NAME if width >= ROOMY else 9
    cell = (width - name - 6) // 2
    shown = around(state.part, len(PARTS), max(1, rows - 2))
    more = len(PARTS) - len(shown)
    left = f"↑↓ {more} more" if more else ""
    sides = [cursor(side == state.side)[0] + "AB"[side] for side in (0, 1)]
    head = Content.assemble(
        (figures.fit(left, name + 2), MUTED),
        *(
            (figures.fit(text, cell + 2), f"{ACT} bold" if side == state.side else MUTED)
            for side, text in enumerate(sides)
        ),
    )
    lines = [head, *(_part(state, at, name, cell) for at in shown)]
    return [*lines, _first_token(state, name, cell)] if rows > 2 else lines


def _first_token(state: State, name: int, cell: int) -> Content:
    cells: list[str | tuple[str, str]] = []
    for side in (0, 1):
        tried = state.tried(side, state.item)
        if tried is None:
            cells.append((figures.fit(pending(state, side), cell), MUTED))
        else:
            said, style = " unknown", MUTED
            if tried.rows:
                first = tried.rows[0]
                said = f" {visible(first.piece)} {percent(first.probability)}"
                style = likely(first.probability)
            glyph = GLYPHS[outcome_of(state.trials[side], state.item, tried)]
            cells += [glyph, (figures.fit(said, cell - 1), style)]
        cells.append("   " if side == 0 else "")
    said = f"#{state.item + 1} first token" if name >= _NAME else f"item {state.item + 1}"
    return Content.assemble("  ", (figures.fit(said, name), MUTED), *cells)


def _part(state: State, at: int, name: int, cell: int) -> Content:
    part = PARTS[at]
    here = at == state.part
    texts = [figures.fit(_said(version, part), cell) for version in state.sides]
    differs = part in differing(*state.sides)
    styles = ["bold" if here and side == state.side else "" for side in (0, 1)]
    return Content.assemble(
        cursor(here),
        (figures.fit(NAMES[part], name), "bold" if here else MUTED),
        (texts[0], styles[0] or _style(state.sides[0], part)),
        (" ≠ " if differs else "   ", ACT),
        (texts[1], styles[1] or _style(state.sides[1], part)),
    )


def _style(version: Version, part: Part) -> str:
    return MUTED if idle(version, part) or _said(version, part) == "off" else ""


def _said(version: Version, part: Part) -> str:
    if idle(version, part):
        return {"order": "no examples", "place": "no output rule"}[part]
    value = getattr(version, part)
    if part == "frame":
        return _FRAMES[value]
    if part == "place":
        return f"{value} the text"
    if part == "marks":
        return {"none": "off", "tags": "<text> </text>", "quotes": 'quotes, " "'}[value]
    if part == "temperature":
        return f"{value:.1f}" if value else "0 (greedy)"
    if part == "examples":
        return str(value)
    if part == "order":
        return {"as listed": "as listed", "turned round": "reversed"}[value]
    return safe(" ".join(str(value).split())) or "off"


def scores(state: State, width: int, *, low: bool) -> list[Content]:
    """Return the scores of both versions, the difference between them, and the progress.

    If the screen is `low`, the difference is left out, and the progress replaces the heading.
    """
    labels = bool(state.about.labels) and width >= ROOMY
    head = _score_heading(width, labels)
    lines = [_score(state, side, width, labels) for side in (0, 1)]
    far = _progress(state, width)
    if state.server is not None:
        if low:
            return [*far, *lines]
        who = f"model: {safe(state.server.name)} at {safe(state.server.host)}"
        above = Content.styled(figures.fit(who, width), MUTED)
        return [above, head, *lines, _difference(state, width), *far]
    if low:
        return [*(far if state.running else [head]), *lines]
    return [head, *lines, _difference(state, width), *far]


def _graph(width: int, labels: bool) -> int:
    return max(0, min(30, width - 45 - (10 if labels else 0))) if width >= ROOMY else 0


def _score_heading(width: int, labels: bool) -> Content:
    graph = _graph(width, labels)
    line = "0 %".ljust(graph - 5) + "100 %" if graph >= 9 else " " * graph
    if width < ROOMY:
        return Content.styled(f"{'right':>11}{'95 %':>14}{'wrong':>6}{'form':>5}", MUTED)
    cells = f"{'right':>11}{'95 % interval':>14}  {line}{'wrong':>7}{'form':>6}"
    return Content.styled(cells + (f"{'by prob.':>10}" if labels else ""), MUTED)


def _score(state: State, side: int, width: int, labels: bool) -> Content:
    found = score(state.results, state.trials[side])
    here, wide = side == state.side, width >= ROOMY
    mark = cursor(here)[0] + "AB"[side]
    if not found.asked:
        return Content.assemble((mark, f"{ACT} bold" if here else MUTED))
    by_share = f"{'–' if found.by_share is None else found.by_share:>10}" if labels else ""
    return Content.assemble(
        (mark, f"{ACT} bold" if here else MUTED),
        (f"{found.right:>3}", "bold"),
        (f" of {found.asked:<2}", ""),
        (f"{percent_range(found.interval):>{14 if wide else 13}}", MUTED),
        "  " if wide else "",
        interval_line(found.right, found.asked, _graph(width, labels)),
        f"{found.wrong:>{7 if wide else 6}}",
        (f"{found.form:>{6 if wide else 5}}", NOT_YET if found.form else ""),
        by_share,
    )


def _difference(state: State, width: int) -> Content:
    """Return the number of items that only A or only B gets right, with the p-value."""
    a, b = state.trials
    if a == b:
        return Content.styled("A and B are the same. Press → to change a part.", MUTED)
    found = difference(state.results, a, b)
    if found.asked < 2:
        return Content("")
    chance = "< 0.001" if found.chance < 0.001 else f"= {found.chance:.3f}"
    said = f"right only in A: {found.only_a}, only in B: {found.only_b}"
    if width >= ROOMY:
        said += f"; p {chance} by chance (sign test)"
    return Content.styled(said, MUTED)


def _progress(state: State, width: int) -> list[Content]:
    """Return the progress. For a remote model, include the number of requests and their price."""
    far, server = state.progress, state.server
    if state.running:
        return [progress_line(far, width, "answered" if server else "items")]
    if state.complete:
        return [Content.styled("Both versions are scored.", MUTED)]
    if server is None:
        said = f"{far.done} of {far.total} answers. Press r for the rest."
        return [Content.styled(said, MUTED)]
    found = plan(state.trials, state.results)
    if state.trouble is None:
        return wrapped(Content.styled(safe(_costs(found, free=server.here)), MUTED), width)
    what = state.trouble.error if width >= ROOMY else f"{state.trouble.title}."
    said = f"× {what} Press r to continue ({found.requests} left)."
    return wrapped(Content.styled(safe(said), NOT_YET), width)


def _costs(found: Plan, *, free: bool) -> str:
    requests = counted(found.requests, "request")
    if free:
        return f"Press r to send {requests}."
    if found.about is None or found.most is None:
        return f"Press r to send {requests}. This model's price is unknown."
    return (
        f"Press r to send {requests}: about {_dollars(found.about)}, at most "
        f"{_dollars(found.most)} (prices of {found.as_of})."
    )


def _dollars(value: float) -> str:
    """Format an amount in dollars. Amounts below $0.10 have two significant digits."""
    return f"${value:.2f}" if value >= 0.1 else f"${value:.2g}"


def prompt(state: State, width: int, rows: int) -> list[Content]:
    """Return the current version's prompt for the item in focus, and the answer.

    Special tokens in the prompt are highlighted.
    """
    wanted = Read(state.trials[state.side], state.item)
    if state.reading is None or state.reading[0] != wanted:
        return [Content.styled("Loading the prompt…", MUTED)]
    found = state.reading[1]
    tried = state.tried(state.side, state.item)
    parts = [
        (safe(each.text).replace("\n", "⏎\n"), f"{ACT} bold" if each.special else "")
        for each in found.stretches
    ]
    whole = Content.assemble(
        *parts, ("▏", f"{ACT} bold"), (safe(tried.written) if tried else "", RIGHT)
    )
    lines = wrapped(whole, width)
    head = f"{'AB'[state.side]}, item {state.item + 1}: "
    head += "as sent" if found.tokens is None else counted(found.tokens, "token")
    read = "" if found.tokens is None else " in the prompt"
    said = f"{read}; ▏ the answer" if width >= ROOMY else ", ▏ answer"
    more = "  PgDn: more" if len(lines) + 1 > rows else ""
    return [Content.styled(figures.fit(head + said + more, width), MUTED), *lines]


def versions(state: State, width: int, rows: int) -> list[Content]:
    """Return a table of all versions that have been scored."""
    if not state.scored:
        return [Content.styled("No version has been scored yet. Press r to score both.", MUTED)]
    shown = around(state.row, len(state.scored), max(1, rows - 1))
    task, wide = 10, width >= ROOMY
    interval = f"{'interval':>14}" if wide else ""
    head = f"  {'task':<{task}}{'right':>6}{interval}{'form':>6}    changed parts"
    lines = [Content.styled(figures.fit(head, width), MUTED)]
    for at in shown:
        trial = state.scored[at]
        found = score(state.results, trial)
        here = at == state.row
        sides = "".join("AB"[side] for side in (0, 1) if state.trials[side] == trial)
        what = figures.fit(summary(trial), max(0, width - task - (32 if wide else 18)))
        lines.append(
            Content.assemble(
                cursor(here),
                (figures.fit(trial.task, task), "bold" if here else ""),
                (f"{found.right:>6}", "bold"),
                (f"{percent_range(found.interval):>14}" if wide else "", MUTED),
                (f"{found.form:>6}", NOT_YET if found.form else ""),
                (f" {sides:<2}", ACT),
                (what, "bold" if here else ""),
            )
        )
    focus = state.scored[min(state.row, len(state.scored) - 1)]
    said = Content.styled(summary(focus), MUTED).wrap(width)
    return [*lines, Content(""), *said] if rows >= len(lines) + 1 + len(said) else lines


def summary(trial: Trial) -> str:
    """Summarize a version: its remote model, if any, and the parts that differ from the default."""
    version, plain = trial.version, plain_version(tasks()[trial.task])
    asked = "" if trial.server is None else f"{safe(trial.server.name)}: "
    words = [
        _said(version, part) if part == "frame" else f"{NAMES[part]}: {_said(version, part)}"
        for part in differing(plain, version)
    ]
    return asked + ("; ".join(words) or "instruction only")
