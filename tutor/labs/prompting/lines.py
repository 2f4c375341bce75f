"""The text of three views: a prompt's parts, the exact prompt, and the list of scored versions.

The module also contains the text of the scores, which the views show.
"""

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
from tutor.language import _
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from tutor.labs.kit.prompts.scores import Trial
    from tutor.labs.kit.prompts.version import Part, Version
    from tutor.labs.prompting.lab import State
    from tutor.labs.prompting.remote import Plan

NAMES: dict[Part, str] = {
    "frame": _("frame"),
    "system": _("system message"),
    "role": _("role"),
    "instruction": _("instruction"),
    "steps": _("steps"),
    "rule": _("output rule"),
    "place": _("rule position"),
    "marks": _("delimiters"),
    "examples": _("examples"),
    "order": _("example order"),
    "begin": _("answer prefix"),
    "temperature": _("temperature"),
}
_FRAMES = {
    "chat": _("chat, one message"),
    "turns": _("chat, examples as turns"),
    "text": _("plain text"),
}
_NAME = 15


def heading(state: State, width: int) -> Content:
    """Return a line with the task's title, and the tabs."""
    names = tabs((name, name == state.view) for name in VIEWS)
    title = figures.fit(state.about.title, max(0, min(32, width - names.cell_length)))
    if len(title) < 12:
        return Content.assemble(pointer(True), (state.view, "bold"))
    return Content.assemble((title, "bold"), names)


def parts(state: State, width: int, rows: int) -> list[Content]:
    """Return a table of the parts of A and B, with marks where the two versions differ."""
    name = _NAME if width >= ROOMY else 9
    cell = (width - name - 6) // 2
    shown = around(state.part, len(PARTS), max(1, rows - 2))
    more = len(PARTS) - len(shown)
    left = _("↑↓ {more} more").format(more=more) if more else ""
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
            said, style = _(" unknown"), MUTED
            if tried.rows:
                first = tried.rows[0]
                said = f" {visible(first.piece)} {percent(first.probability)}"
                style = likely(first.probability)
            glyph = GLYPHS[outcome_of(state.trials[side], state.item, tried)]
            cells += [glyph, (figures.fit(said, cell - 1), style)]
        cells.append("   " if side == 0 else "")
    said = (
        _("#{item} first token").format(item=state.item + 1)
        if name >= _NAME
        else _("item {item}").format(item=state.item + 1)
    )
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
    return MUTED if idle(version, part) or _said(version, part) == _("off") else ""


def _said(version: Version, part: Part) -> str:
    if idle(version, part):
        return {"order": _("no examples"), "place": _("no output rule")}[part]
    value = getattr(version, part)
    if part == "frame":
        return _FRAMES[value]
    if part == "place":
        return _("{value} the text").format(value=value)
    if part == "marks":
        return {"none": _("off"), "tags": "<text> </text>", "quotes": 'quotes, " "'}[value]
    if part == "temperature":
        return f"{value:.1f}" if value else _("0 (greedy)")
    if part == "examples":
        return str(value)
    if part == "order":
        return {"as listed": _("as listed"), "turned round": _("reversed")}[value]
    return safe(" ".join(str(value).split())) or _("off")


def scores(state: State, width: int, *, low: bool) -> list[Content]:
    """Return the scores of both versions, the difference between them, and the progress.

    If the screen has few rows (`low`), the difference is left out and the progress replaces the
    heading.
    """
    labels = bool(state.about.labels) and width >= ROOMY
    head = _score_heading(width, labels)
    lines = [_score(state, side, width, labels) for side in (0, 1)]
    far = _progress(state, width)
    if state.server is not None:
        if low:
            return [*far, *lines]
        who = _("model: {name} at {host}").format(
            name=safe(state.server.name), host=safe(state.server.host)
        )
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
        return Content.styled(f"{_('right'):>11}{'95 %':>14}{_('wrong'):>6}{_('form'):>5}", MUTED)
    cells = f"{_('right'):>11}{_('95 % interval'):>14}  {line}{_('wrong'):>7}{_('form'):>6}"
    return Content.styled(cells + (f"{_('by prob.'):>10}" if labels else ""), MUTED)


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
        (_(" of {asked:<2}").format(asked=found.asked), ""),
        (f"{percent_range(found.interval):>{14 if wide else 13}}", MUTED),
        "  " if wide else "",
        interval_line(found.right, found.asked, _graph(width, labels)),
        f"{found.wrong:>{7 if wide else 6}}",
        (f"{found.form:>{6 if wide else 5}}", NOT_YET if found.form else ""),
        by_share,
    )


def _difference(state: State, width: int) -> Content:
    """Return the numbers of items that only A or only B answers correctly, with the p-value."""
    a, b = state.trials
    if a == b:
        return Content.styled(_("A and B are the same. Press → to change a part."), MUTED)
    found = difference(state.results, a, b)
    if found.asked < 2:
        return Content("")
    chance = "< 0.001" if found.chance < 0.001 else f"= {found.chance:.3f}"
    said = _("right only in A: {only_a}, only in B: {only_b}").format(
        only_a=found.only_a, only_b=found.only_b
    )
    if width >= ROOMY:
        said += _("; p {chance} (sign test)").format(chance=chance)
    return Content.styled(said, MUTED)


def _progress(state: State, width: int) -> list[Content]:
    """Return a line with the progress of the run.

    For a remote model, add the number of requests and their price.
    """
    far, server = state.progress, state.server
    if state.running:
        return [progress_line(far, width, _("answered") if server else _("items"))]
    if state.complete:
        return [Content.styled(_("Both versions are scored."), MUTED)]
    if server is None:
        said = _("Press r to score all {total} answers.").format(total=far.total)
        if far.done:
            said = _("{done} of {total} answers are scored. Press r to score the rest.").format(
                done=far.done, total=far.total
            )
        return [Content.styled(said, MUTED)]
    found = plan(state.trials, state.results)
    if state.trouble is None:
        return wrapped(Content.styled(safe(_costs(found, free=server.here)), MUTED), width)
    what = state.trouble.error if width >= ROOMY else f"{state.trouble.title}."
    said = _("× {what} Press r to continue ({requests} left).").format(
        what=what, requests=found.requests
    )
    return wrapped(Content.styled(safe(said), NOT_YET), width)


def _costs(found: Plan, *, free: bool) -> str:
    requests = counted(found.requests, "request")
    if free:
        return _("Press r to send {requests}.").format(requests=requests)
    if found.about is None or found.most is None:
        return _("Press r to send {requests}. This model's price is unknown.").format(
            requests=requests
        )
    return _(
        "Press r to send {requests}: about {dollars}, at most {dollars2} (prices of {as_of})."
    ).format(
        requests=requests,
        dollars=_dollars(found.about),
        dollars2=_dollars(found.most),
        as_of=found.as_of,
    )


def _dollars(value: float) -> str:
    """Format an amount in dollars. Amounts below $0.10 have two significant digits."""
    return f"${value:.2f}" if value >= 0.1 else f"${value:.2g}"


def prompt(state: State, width: int, rows: int) -> list[Content]:
    """Return the current version's prompt for the selected item, and the answer.

    Special tokens in the prompt are highlighted.
    """
    wanted = Read(state.trials[state.side], state.item)
    if state.reading is None or state.reading[0] != wanted:
        return [Content.styled(_("Loading the prompt…"), MUTED)]
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
    head = _("{value}, item {item}: ").format(value="AB"[state.side], item=state.item + 1)
    head += _("as sent") if found.tokens is None else counted(found.tokens, "token")
    read = "" if found.tokens is None else _(" in the prompt")
    said = (
        _("{read}; the answer follows ▏").format(read=read) if width >= ROOMY else _(", ▏ answer")
    )
    more = _("  PgDn: more") if len(lines) + 1 > rows else ""
    return [Content.styled(figures.fit(head + said + more, width), MUTED), *lines]


def versions(state: State, width: int, rows: int) -> list[Content]:
    """Return a table of all scored versions."""
    if not state.scored:
        return [Content.styled(_("No version has been scored yet. Press r to score both."), MUTED)]
    shown = around(state.row, len(state.scored), max(1, rows - 1))
    task, wide = 10, width >= ROOMY
    interval = f"{_('interval'):>14}" if wide else ""
    head = f"  {_('task'):<{task}}{_('right'):>6}{interval}{_('form'):>6}    {_('changed parts')}"
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
    """Describe a version by its remote model, if any, and its non-default parts."""
    version, plain = trial.version, plain_version(tasks()[trial.task])
    asked = "" if trial.server is None else f"{safe(trial.server.name)}: "
    words = [
        _said(version, part) if part == "frame" else f"{NAMES[part]}: {_said(version, part)}"
        for part in differing(plain, version)
    ]
    return asked + ("; ".join(words) or _("instruction only"))
