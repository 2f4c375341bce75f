"""What the pane says about the engine and about what just happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.widgets.figures import percent
from tutor.engine.api import EngineState
from tutor.text import counted

_NARROW = 60

if TYPE_CHECKING:
    from tutor.app.explorer.state import State
    from tutor.errors import TutorError


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
    shown, hidden = counted(len(found.rows), "token"), percent(found.hidden_probability)
    if width < _NARROW:
        return f"{shown} shown, {hidden} hidden."
    drawn = "It draws by itself" if found.drawn_elsewhere else "Only these can be drawn"
    return f"The server shows {shown}; {hidden} is hidden. {drawn}."
