"""The lines around the distribution table.

They describe the token in focus, the table, the effect of Enter, the engine's state and the latest
message.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.chat.hints import make_room
from tutor.app.explorer.chat.situation import situation
from tutor.app.explorer.distribution_table import DRAW, TARGET
from tutor.app.explorer.stepping import RUN_LIMIT
from tutor.app.widgets import bars, figures
from tutor.app.widgets.layout import first_that_fits
from tutor.engine.api import EngineState
from tutor.errors import RemoteError, TutorError
from tutor.language import _
from tutor.text import counted, safe

if TYPE_CHECKING:
    from tutor.app.explorer.effects import Answer
    from tutor.app.explorer.state import State, Target
    from tutor.lm.distribution import Distribution, ModelCard, SamplerSettings
    from tutor.lm.saved_steering import Applied
    from tutor.lm.token_tree import Step, TokenTree

_NARROW = 60
"""The width, in columns, below which the lines are shortened."""
_ROUNDED = {"int4", "fp16"}
"""The number formats whose kernels also round their input vectors."""
ROUNDED = _(
    "If the heading of the table says “approximate”, tutor rounds the model's weights on this "
    "machine to compute faster. Figures can then differ from those in the lessons in the second or "
    "third digit."
)
"""Explains the note that `_precision` returns."""
_HOW = {"prompt": _("given"), "drawn": _("drawn by the model"), "taken": _("chosen by you")}


def spread(left: Content, right: Content, width: int) -> Content:
    """Put `left` and `right` at the two ends of a line. If there is no room, leave `right` out."""
    gap = width - left.cell_length - right.cell_length
    if gap < 2:
        return left
    return Content.assemble(left, " " * gap, right)


def surprise(step: Step, index: int) -> str:
    """Format the surprisal of a token, or say why it is not known."""
    if index == 0:
        return _("no prediction")
    if step.surprisal_bits is None:
        return "…"
    if step.known_bits is None:
        return _("not reported")
    return _("{surprisal_bits} bits").format(surprisal_bits=figures.bits(step.surprisal_bits))


def focus_line(
    tree: TokenTree, context: int, width: int, name: str = "", *, chat: bool = False
) -> Content:
    """Draw the line with the token in focus, its surprisal, and how full the context window is.

    If `name` is given, it is shown instead of the token. `chat` is true for a conversation.
    """
    index = tree.last_looked_at
    if index is None:
        return with_context_use(Content(""), tree, context, width, chat=chat)
    step = tree.steps[index]
    place = _("last") if tree.at_end else _("token {index}").format(index=index + 1)
    left = Content.assemble(
        (f"{place} ", theme.MUTED),
        name or figures.shown(step.token),
        "  ",
        (surprise(step, index), "bold" if index else theme.MUTED),
    )
    how = f"  {_HOW[step.how]}"
    if left.cell_length + len(how) + len(_used(tree, context)) + 2 <= width:
        left += Content.styled(how, theme.MUTED)
    return with_context_use(left, tree, context, width, chat=chat)


def with_context_use(
    left: Content, tree: TokenTree, context: int, width: int, *, chat: bool
) -> Content:
    """Draw the number of tokens and the size of the context window at the right end of a line.

    If there is room, a word says that all tokens count, and not only those of an answer.
    """
    used = _used(tree, context)
    named = (_("chat: {used}") if chat else _("text: {used}")).format(used=used)
    full = context and tree.length >= context
    right = first_that_fits((named, used), width - left.cell_length - 2, otherwise=used)
    return spread(left, Content.styled(right, theme.NOT_YET if full else theme.MUTED), width)


def _used(tree: TokenTree, context: int) -> str:
    """Return the number of tokens in the text, and the size of the context window in tokens."""
    used = counted(tree.length, "token")
    if context:
        used = _("{length} of {tokens}").format(
            length=figures.count(tree.length), tokens=counted(context, "token")
        )
    return used


def editor_label(*, history: bool) -> Content:
    """Draw the prompt editor's label, which says what the keys do."""
    how = _("  enter accepts; end a line with \\ to start another")
    if history:
        how += _("; ↑ earlier texts")
    return Content.assemble((_("the prompt"), "bold"), (how, theme.MUTED))


def settings(sampler: SamplerSettings, steering: Applied | None, room: int) -> Content:
    """Draw the sampler settings. A note that the network is steered is never left out."""
    if steering is None:
        return Content.styled(figures.sampler(sampler), theme.MUTED)
    said = _("steered: {said}").format(said=safe(steering.said))
    ways = (f"{said}  {figures.sampler(sampler)}", said, _("steered"))
    return Content.styled(first_that_fits(ways, room, otherwise=ways[-1]), theme.ACT)


def question_line(state: State, width: int) -> Content:
    """Draw the heading of the table, with the entropy and the sampler settings.

    While newer rows are being computed, the heading describes the rows that are still on the
    screen.
    """
    tree, shown = state.tree, state.shown
    if tree is None:
        return Content("")
    if state.reading is not None:
        return progress(*state.reading, width)
    if shown is None:
        left = Content.styled(_after_message(state, width) or _about(tree, tree.focus), "bold")
    elif shown.position is None:
        left = Content.styled(_("previous rows"), "bold")
    else:
        about = _about(tree, shown.position, shown.answer)
        if shown.position == tree.length:
            about = _after_message(state, width) or about
        left = Content.styled(about, "bold")
        left += _entropy(shown.answer.distribution)
    if state.unasked:
        return left
    if shown is None and isinstance(state.note, RemoteError):
        left = Content.assemble(
            left, (_("  enter"), f"{theme.ACT} bold"), (_(" retries"), theme.MUTED)
        )
    elif state.answer is None and not state.running:
        left = Content.assemble(left, ("  …", theme.MUTED))
        if state.queue:
            left = Content.assemble(
                left, (_(" {count} keys waiting").format(count=len(state.queue)), theme.MUTED)
            )
    of = shown or state
    right = settings(of.sampler, of.steering, width - left.cell_length - 2)
    if shown is not None and state.engine.model is not None:
        room = width - left.cell_length - right.cell_length - 4
        said = next((each for each in _precision(state.engine.model) if len(each) <= room), "")
        left += Content.styled(f"  {said}".rstrip(), theme.MUTED)
    return spread(left, right, width)


def _precision(model: ModelCard) -> tuple[str, ...]:
    """Return a note that the figures are approximate, from the longest form to the shortest.

    If they are exact, return (). The lessons quote exact figures, which differ from approximate
    figures in the second or third digit. The model screen shows how the weights are rounded.
    """
    if _ROUNDED.isdisjoint(model.kernel.split(", ")):
        return ()
    return (
        _("figures are approximate: rounded weights"),
        _("approximate: rounded weights"),
        _("approximate"),
    )


def _after_message(state: State, width: int) -> str:
    """Return a heading for the rows after a message that the model has ended, or ""."""
    if state.mode == "text" or not state.ended:
        return ""
    return _("after the message's end") if width >= 46 else _("after the end")


def _about(tree: TokenTree, position: int, answer: Answer | None = None) -> str:
    """Return a heading for the rows at a position, such as "next token"."""
    if position == tree.length:
        return _("next token")
    step = tree.steps[position]
    if answer is not None and position == tree.length - 1 and tree.at_end:
        if step.how == "taken":
            return _("last token chosen")
        if step.how == "drawn" and step.token.id == answer.distribution.drawn.token.id:
            return _("last token drawn")
    return _("instead of {token}").format(token=figures.shown(step.token))


def _entropy(distribution: Distribution) -> Content:
    """Draw the entropy. If only part of the distribution is known, this is a lower bound."""
    if distribution.partial and not distribution.rows:
        return Content("")
    figure = figures.bits(distribution.entropy_bits)
    least = _("at least ") if distribution.partial else ""
    return Content.assemble(
        (_("  entropy "), theme.MUTED), (least, theme.MUTED), figure, (_(" bits"), theme.MUTED)
    )


def progress(done: int, total: int, width: int) -> Content:
    """Draw the progress of processing a long text."""
    said = _(" {done} of {total} tokens  ").format(
        done=figures.count(done), total=figures.count(total)
    )
    room = max(4, min(30, width - len(said) - 11))
    return Content.assemble(
        (_("processing"), "bold"), (said, ""), (bars.bar(done / total, room), theme.ACT)
    )


def target_lines(state: State, width: int) -> list[Content]:
    """Draw the line that describes Enter, and a second line with values that the table omits."""
    if state.running:
        run = _("running, {run_length} of at most {run_limit} tokens").format(
            run_length=state.run_length, run_limit=RUN_LIMIT
        )
        if width < 46:
            run = _("{run_length} of {run_limit} tokens").format(
                run_length=state.run_length, run_limit=RUN_LIMIT
            )
        return [
            Content.assemble(("r ", f"{theme.ACT} bold"), _("stops"), (f"  {run}", theme.MUTED))
        ]
    tree = state.tree
    if tree is not None and tree.focus == 0:
        return [Content.assemble((_("enter "), f"{theme.ACT} bold"), _("goes to the second token"))]
    target = state.target
    if target is None:
        return [Content("")]
    lines = [_target_line(target, width)]
    if width < 46:
        row = target.row
        more = _("      rank {rank}  id {id}  logit {logit:.2f}").format(
            rank=figures.count(row.rank), id=row.token.id, logit=row.logit
        )
        if state.answer is not None and state.answer.distribution.partial:
            known = not math.isnan(row.logit)
            more = (
                _("      rank {rank}  ln p {logit:.2f}").format(
                    rank=figures.count(row.rank), logit=row.logit
                )
                if known
                else ""
            )
        lines.append(Content.styled(more, theme.MUTED))
    return lines


def _target_line(target: Target, width: int) -> Content:
    row = target.row
    mark = DRAW if target.how == "drawn" else TARGET
    start = _("enter {mark} ").format(mark=mark)
    figure = _("  rank {rank}, {percent}").format(
        rank=figures.count(row.rank), percent=figures.percent(row.probability)
    )
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
        (_("enter "), f"{theme.ACT} bold"),
        (f"{mark} ", theme.ACT),
        (name, "bold"),
        (reason, ""),
        (figure, theme.MUTED),
    )


XRAY_WAITS = _("The x-ray opens as soon as the model has processed the text.")


def said(state: State, width: int) -> TutorError | str | None:
    """Return the message to show, or None. Errors take precedence over hints."""
    engine = state.engine
    match engine.state:
        case EngineState.STARTING:
            if engine.failure is not None:
                return _("{happened} The engine is restarting. Your text is kept.").format(
                    happened=engine.failure.happened
                )
            if state.note == XRAY_WAITS:
                return XRAY_WAITS
            return _("The engine is starting. You can use everything else in the meantime.")
        case EngineState.LOADING:
            stage = engine.detail.rstrip(".") or "loading"
            then = _("The table appears when it is ready.")
            if state.note == XRAY_WAITS:
                then = XRAY_WAITS
            elif state.mode == "chat":
                then = _("You can write a message. The model answers when it is ready.")
            return _("The model is not ready yet: {stage}. {then}").format(stage=stage, then=then)
        case EngineState.STOPPED:
            return engine.failure or _("The engine is not running. Press y to restart it.")
    if state.note is not None:
        return state.note
    return _situation(state, width)


def _situation(state: State, width: int) -> str | None:
    if state.mode == "chat" and (state.tree is None or (state.tree.focus and not state.full)):
        found = situation(state)
        return found if found or state.tree is None or state.ended else _told(state, width)
    if state.tree is None:
        return _("The model is processing the text.")
    if state.reading is not None:
        return _("The table appears when the model has processed the text. Press r to stop.")
    if state.tree.focus == 0:
        return _("Nothing precedes the first token, so there is no prediction for it.")
    if state.full:
        return _full(state)
    if state.over:
        return _("The model ended here, and its server returns no more tokens. Press u to undo.")
    if state.ended:
        return _("The model ended its text. Keep stepping to see what it would write next.")
    return _told(state, width)


def _full(state: State) -> str:
    """Say why the text cannot continue, and what the learner can do about that."""
    if not state.engine.served:
        what = _("The context window is full: it has {context:,} tokens.").format(
            context=state.context
        )
    elif state.beyond:
        assert state.tree is not None
        what = _(
            "This text has {length:,} tokens, but the shared engine processes only "
            "{context:,}. The whole text is kept, and ← goes back to the part that it can "
            "process."
        ).format(length=state.tree.length, context=state.context)
    else:
        what = _(
            "The context window of the shared engine is full: it has {context:,} tokens."
        ).format(context=state.context)
    then = _("Press u to undo some tokens, or e to start from a shorter prompt.")
    if state.mode == "chat":
        then = make_room(state)
    if state.engine.alternative == "own":
        then = _("To use your own engine, press m and then o on the course map. {or_else}").format(
            or_else=then
        )
    return f"{what} {then}"


def _told(state: State, width: int) -> str | None:
    """Say how much of the distribution a server returns.

    The sentence is shorter on a narrow screen.
    """
    latest, model = state.answer or state.stale, state.engine.model
    if model is None or not model.remote:
        return None
    if latest is None:
        return _("Waiting for {host}.").format(host=model.host)
    found = latest.distribution
    if not found.rows and found.drawn.token.id in model.end_ids:
        return _("The model ends here. The server does not report how probable that was.")
    if not found.rows:
        return _("{host} returns only text here, no probabilities.").format(host=model.host)
    shown, hidden = counted(len(found.rows), "token"), figures.percent(found.hidden_probability)
    if width < _NARROW:
        return _("{shown} shown, {hidden} hidden.").format(shown=shown, hidden=hidden)
    drawn = (
        _("It samples the tokens itself")
        if found.drawn_elsewhere
        else _("Only shown tokens can be drawn")
    )
    return _("The server shows {shown} and hides {hidden}. {drawn}.").format(
        shown=shown, hidden=hidden, drawn=drawn
    )
