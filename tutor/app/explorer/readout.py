"""The lines around the table: what is in focus, what is asked, what Enter will do, and what there
is to say about the engine and about what just happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.distribution_table import DRAW, TARGET
from tutor.app.explorer.stepping import RUN_LIMIT
from tutor.app.widgets import bars, figures
from tutor.engine.api import EngineState
from tutor.errors import RemoteError, TutorError
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.app.explorer.state import State, Target
    from tutor.lm.distribution import Distribution
    from tutor.lm.token_tree import Step, TokenTree

_NARROW = 60
"""Columns of a line with less said on it."""
_HOW = {"prompt": "given", "drawn": "drawn by the model", "taken": "taken by you"}


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line; `right` goes where there is no room."""
    gap = width - left.cell_length - right.cell_length
    if gap < 2:
        return left
    return Content.assemble(left, " " * gap, right)


def surprise(step: Step, index: int) -> str:
    """How surprising a token was, in words."""
    if index == 0:
        return "nothing before it"
    if step.surprisal_bits is None:
        return "…"
    if step.known_bits is None:
        return "not told"
    return f"{figures.bits(step.surprisal_bits)} bits"


def focus_line(tree: TokenTree, context: int, width: int) -> Content:
    """The token in focus and what it cost; how much of the context is used."""
    used = counted(tree.length, "token")
    if context:
        used = f"{figures.count(tree.length)} of {counted(context, 'token')}"
    right = Content.styled(
        used, theme.NOT_YET if context and tree.length >= context else theme.MUTED
    )
    index = tree.last_looked_at
    if index is None:
        return spread(Content(""), right, width)
    step = tree.steps[index]
    place = "last" if tree.at_end else f"token {index + 1}"
    left = Content.assemble(
        (f"{place} ", theme.MUTED),
        figures.shown(step.token),
        "  ",
        (surprise(step, index), "bold" if index else theme.MUTED),
        (f"  {_HOW[step.how]}" if width >= _NARROW else "", theme.MUTED),
    )
    return spread(left, right, width)


def editor_label(*, chat: bool) -> Content:
    """What is being written, and how it is finished."""
    what = "your message" if chat else "the prompt"
    return Content.assemble(
        (what, "bold"), ("  enter uses it, \\ before enter starts a new line", theme.MUTED)
    )


def question_line(state: State, width: int) -> Content:
    """Which question the table answers, how open it is, and how tokens are drawn."""
    tree = state.tree
    if tree is None:
        return Content("")
    if tree.at_end:
        left = Content.styled("next token", "bold")
    else:
        name = figures.shown(tree.steps[tree.focus].token)
        left = Content.assemble(("instead of ", "bold"), (name, "bold"))
    if tree.focus == 0 or state.over:
        return left
    if state.reading is not None:
        return _reading(*state.reading, width)
    latest = state.answer
    if state.running:
        left, latest = Content.styled("the draw of the last token", "bold"), state.stale
    if latest is None and isinstance(state.note, RemoteError):
        left = Content.assemble(
            left, ("  enter", f"{theme.ACT} bold"), (" asks again", theme.MUTED)
        )
    elif latest is None:
        left = Content.assemble(left, ("  …", theme.MUTED))
        if state.queue:
            left = Content.assemble(left, (f" {len(state.queue)} more to do", theme.MUTED))
    else:
        left += _entropy(latest.distribution)
    right = figures.sampler(state.sampler)
    return spread(left, Content.styled(right, theme.MUTED), width)


def _entropy(distribution: Distribution) -> Content:
    """How open the choice is; of a part of the probabilities, how open it is at least."""
    if distribution.partial and not distribution.rows:
        return Content("")
    figure = figures.bits(distribution.entropy_bits)
    least = "at least " if distribution.partial else ""
    return Content.assemble(
        ("  entropy ", theme.MUTED), (least, theme.MUTED), figure, (" bits", theme.MUTED)
    )


def _reading(done: int, total: int, width: int) -> Content:
    """How far the model is with a long text."""
    said = f" {figures.count(done)} of {figures.count(total)} tokens  "
    room = max(4, min(30, width - len(said) - 8))
    return Content.assemble(
        ("reading", "bold"), (said, ""), (bars.bar(done / total, room), theme.ACT)
    )


def target_lines(state: State, width: int) -> list[Content]:
    """What Enter takes. Where columns were dropped, a second line has what they would say."""
    if state.running:
        run = f"running, {state.run_length} of at most {RUN_LIMIT} tokens"
        return [Content.assemble(("r ", f"{theme.ACT} bold"), "pauses", (f"  {run}", theme.MUTED))]
    tree = state.tree
    if tree is not None and tree.focus == 0:
        return [Content.assemble(("enter ", f"{theme.ACT} bold"), "on to the second token")]
    if state.ended and state.mode == "chat":
        return [Content.assemble(("enter ", f"{theme.ACT} bold"), "writes the next message")]
    target = state.target
    if target is None:
        return [Content("")]
    lines = [_target_line(target, width)]
    if width < 46:
        row = target.row
        more = f"      rank {figures.count(row.rank)}  id {row.token.id}  logit {row.logit:.2f}"
        if state.answer is not None and state.answer.distribution.partial:
            told = not math.isnan(row.logit)
            more = f"      rank {figures.count(row.rank)}  ln p {row.logit:.2f}" if told else ""
        lines.append(Content.styled(more, theme.MUTED))
    return lines


def _target_line(target: Target, width: int) -> Content:
    row = target.row
    mark = DRAW if target.how == "drawn" else TARGET
    start = f"enter {mark} "
    figure = f"  rank {figures.count(row.rank)}, {figures.percent(row.probability)}"
    if math.isnan(row.probability):
        figure = ""
    reason = f"  {target.reason}"
    name = figures.shown(row.token)
    room = width - len(start)
    if cell_len(name) + len(reason) + len(figure) > room:
        figure = ""
    if cell_len(name) + len(reason) > room:
        name = figures.fit(name, max(4, room - len(reason)))
    return Content.assemble(
        ("enter ", f"{theme.ACT} bold"),
        (f"{mark} ", theme.ACT),
        (name, "bold"),
        (reason, ""),
        (figure, theme.MUTED),
    )


def said(state: State, width: int) -> TutorError | str | None:
    """Return the one thing to say now, if any: trouble first, then what there is to do."""
    engine = state.engine
    match engine.state:
        case EngineState.STARTING:
            if engine.failure is not None:
                return f"{engine.failure.happened} It is being started again; your text is kept."
            return "The engine is starting. Everything else can be used meanwhile."
        case EngineState.LOADING:
            stage = engine.detail.rstrip(".") or "loading"
            return f"The model is not ready yet: {stage}. What needs it appears by itself."
        case EngineState.STOPPED:
            return engine.failure or "The engine is not running."
    if state.note is not None:
        return state.note
    return _situation(state, width)


def _situation(state: State, width: int) -> str | None:
    chat, model = state.mode == "chat", state.engine.model
    if chat and model is not None and not model.chat:
        return (
            f"{model.name} has no chat template: it continues text and knows no "
            "conversation. c goes back to text."
        )
    if state.tree is None:
        return "e writes the first message." if chat else "The model reads the text."
    if state.reading is not None:
        return "The rows appear when the model has read the text. r stops reading."
    if state.tree.focus == 0:
        return "Nothing stands before the first token, so the model has nothing to go by."
    if state.full:
        return (
            f"The context is full: the model reads {state.context:,} tokens at most. Go back "
            "with b, or start again with a shorter prompt."
        )
    if state.over:
        return "The model ended here. A server says nothing behind an end; b goes back."
    if state.ended:
        if chat:
            return "The model ended its turn. r shows what it would say after the end."
        return "The model ended its text. Stepping on shows what it would say after the end."
    return _told(state, width)


def _told(state: State, width: int) -> str | None:
    """How much a server shows of its model's answer; in few words where rows are few."""
    latest, model = state.answer or state.stale, state.engine.model
    if model is None or not model.remote:
        return None
    if latest is None:
        return f"Waiting for {model.host}."
    found = latest.distribution
    if not found.rows and found.drawn.token.id in model.end_ids:
        return "The model ends here. How probable that was, the server does not tell."
    if not found.rows:
        return f"{model.host} tells its text here, and no probabilities."
    shown, hidden = counted(len(found.rows), "token"), figures.percent(found.hidden_probability)
    if width < _NARROW:
        return f"{shown} shown, {hidden} hidden."
    drawn = "It draws by itself" if found.drawn_elsewhere else "Only these can be drawn"
    return f"The server shows {shown}; {hidden} is hidden. {drawn}."
