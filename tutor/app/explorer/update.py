"""Compute the result of each event: the new state, and the effects to carry out."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import UNSET
from msgspec.structs import replace

from tutor.app.explorer import effects, events
from tutor.app.explorer.chat.hints import (
    KEPT,
    MAKE_ROOM,
    SHORTEN,
    SHORTEN_FIRST,
    TAKEN_BACK,
    hint_inside,
    hint_outside,
)
from tutor.app.explorer.chat.messages import ends_with_answer, last_message
from tutor.app.explorer.chat.unsent import (
    has_returned,
    has_unsent,
    is_edit,
    unsent_as_draft,
)
from tutor.app.explorer.chat.update import handle_chat
from tutor.app.explorer.chat.waiting import await_rebuilding, take_rebuilt
from tutor.app.explorer.document import FIRST_SEED
from tutor.app.explorer.effects import Effect
from tutor.app.explorer.events import Event, Signal
from tutor.app.explorer.retokenizing import take_retokenized
from tutor.app.explorer.saved_texts import PARTED
from tutor.app.explorer.share.request import Share
from tutor.app.explorer.share.update import share
from tutor.app.explorer.stepping import (
    after_failure,
    apply_settings,
    carry_on,
    carry_out,
    take_answer,
)
from tutor.errors import ContextFull, EngineError, RequestCancelled, TextError, TutorError
from tutor.language import _
from tutor.lm.token_tree import TokenTree, given_steps

if TYPE_CHECKING:
    from tutor.app.explorer.document import Document, Mode
    from tutor.app.explorer.effects import EngineInfo
    from tutor.app.explorer.state import State
    from tutor.lm.distribution import Token

CANNOT_BE_READ = TextError("This saved text cannot be read.", "Press o to open another one.")

TEXT_KEPT = _("This text is kept. Press e to start from a shorter one, or choose another model.")
"""Advice for a text that cannot be tokenized again for another model."""

ON_ITS_OWN = _("The earlier text is saved. Press o to open it.")

STAYS_IN_CHAT = _("You are writing in the chat, so the switch to the text was canceled.")
STAYS_IN_TEXT = _("You are writing in the text, so the switch to the chat was canceled.")
"""The notices after a change of the mode that was waiting has been dropped."""

EDITED = _("Your message was edited. The earlier version is kept with its answers.")


def update(state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
    """Return the state after an event, and the effects for the controller to carry out."""
    if isinstance(event, events.UseText):
        state = replace(state, writing=None)  # the text in the editor has become this text
    after = _return_texts(state, _handle(state, event))
    after = _ask(_invite(_type_on(state, after)))
    if not isinstance(event, events.TextOpened):
        after = _say_mode_stays(state, after)
    if after.panel != "editor":
        after = replace(after, writing=None)
    return replace(after, effects=()), after.effects


def _ask(state: State) -> State:
    """Add the effect that sends the next request to the engine, unless it has been sent already."""
    request = state.owed if state.ready else None
    if request is None or request == state.request:
        return state
    return replace(state, request=request, reading=None, request_failed=False).emit(request)


def _invite(state: State) -> State:
    """Open the editor for a message, unless it has already been opened in this conversation."""
    possible = state.engine.model is None or state.chat_possible
    wanted = state.mode == "chat" and not state.first_message
    if not wanted or state.invited or state.panel is not None or not possible:
        return state
    state = replace(state, invited=True)
    inspects = state.tree is not None and not (state.folded and state.tree.at_end)
    return state if inspects or state.running else _open_editor(state)


def _type_on(before: State, state: State) -> State:
    """Open the editor when the answer to a message is complete or has been stopped.

    Do not open it after a failure, or if the learner has stopped the answer to inspect it. After an
    answer that a key outside the field has started, the keys outside stay available.
    """
    over = before.running and not state.running and state.mode == "chat"
    if not (over and state.folded and state.typing) or state.panel is not None:
        return state
    return _open_editor(state)


def _say_mode_stays(before: State, state: State) -> State:
    """Say that a waiting change of the mode has been dropped, unless there is another note."""
    waiting = [each for each in before.queue if isinstance(each, events.ChangeMode)]
    waits = any(isinstance(each, events.ChangeMode) for each in state.queue)
    if not waiting or waits or waiting[-1].mode == state.mode or state.note is not None:
        return state
    return replace(state, note=STAYS_IN_CHAT if state.mode == "chat" else STAYS_IN_TEXT)


def _return_texts(before: State, state: State) -> State:
    """Open the editor if a failure has returned texts to it that the model has not received."""
    returned = _has_failed(before, state) and has_returned(before, state)
    return _open_editor(state) if returned and state.panel is None else state


def returns_texts(state: State, event: Event) -> bool:
    """Return True if the event returns unsent texts to the editor, because something fails.

    If the editor is open, it must be closed before the event, so that its text is kept, too.
    """
    if not has_unsent(state):
        return False
    after = _handle(state, event)
    return _has_failed(state, after) and has_returned(state, after)


def _has_failed(before: State, state: State) -> bool:
    return isinstance(state.note, TutorError) and state.note is not before.note


def _handle(state: State, event: Event) -> State:
    if isinstance(event, events.Result):
        return _take_result(state, event)
    if isinstance(event, events.PanelEvent):
        return _handle_panel(state, event)
    if isinstance(event, events.ChatEvent):
        return handle_chat(state, event)
    if isinstance(event, events.TextEvent):
        return _handle_texts(state, event)
    match event:
        case events.UseText():
            return _use_text(state, event)
        case events.ChangeMode(mode):
            return _change_mode(state, mode)
        case Signal.RUN if not state.running:
            return carry_out(state, Signal.START)
        case Signal.RUN | Signal.PAUSE:
            return replace(state, running=False)
        case Signal.TAKE_BACK:
            return _take_back(state)
        case Signal.INSPECT:
            return replace(state, running=False, typing=False)
        case Signal.STOP_READING:
            return _stop_reading(state)
        case Signal.MARKS:
            marks = not state.document.marks
            return replace(state, document=replace(state.document, marks=marks))
        case Signal.FOLD:
            return replace(state, folded=not state.folded, note=None)
        case Signal.RETRY:
            return state.emit(effects.PlainEffect.RESTART_ENGINE)
        case Signal.SAVE:
            return state.emit(_save(state))
        case events.Reading(done, total):
            return replace(state, reading=(done, total), stale=None)
        case events.Say(note):
            return replace(state, note=note)
        case events.VectorsListed(vectors):
            return replace(state, vectors=vectors)
        case events.EngineChanged(engine):
            return _change_engine(state, engine)
        case _:
            return carry_out(state, event)


# --- the model -----------------------------------------------------------------------------------


def _change_engine(state: State, engine: EngineInfo) -> State:
    state = replace(state, engine=engine, request=None, refused=False)
    model = engine.model
    if not state.ready or model is None:
        return state
    checksum = model.sha256 or model.name
    before = state.document
    document = before.for_model(checksum)
    errors = EngineError if document.model == before.model else TutorError
    if isinstance(state.note, errors):
        state = replace(state, note=None)  # it was about the earlier engine
    if (document.text, document.chat) == (before.text, before.chat):
        return replace(state, document=document)
    state = apply_settings(state)
    document = state.document.for_model(checksum)
    if state.mode == "chat":
        return await_rebuilding(state, document)
    # All other commands were for tokens that no longer exist.
    queue = tuple(each for each in state.queue if isinstance(each, events.UseText))
    state = replace(state.without_answer(), document=document, running=False, queue=queue)
    if document.text == before.text:
        return state  # the text has no tokens, and the conversation is not on the screen
    state = carry_on(replace(state, undone=()))
    if state.to_rebuild is None:
        return replace(state, note=None)  # the text is as it was before other models were loaded
    note = _(
        "That text was tokenized by another model, so it has been tokenized again for {name}."
    ).format(name=model.name)
    return replace(state, note=note)


def _take_result(state: State, event: events.Result) -> State:
    """Handle the result of a request. A result that is no longer needed is dropped."""
    owed = event.request == state.owed
    if event.request == state.request and not (owed and isinstance(event, events.RequestFailed)):
        state = replace(state, request=None, reading=None)
    if not owed:
        return state
    match event:
        case events.Answered(question, answer):
            return take_answer(state, question, answer)
        case events.TokensArrived(_, tokens):
            try:
                return _begin(state, tokens)
            except TutorError as error:
                return _fail(state, error)
        case events.Rebuilt(_, branches):
            try:
                if state.mode == "chat":
                    return take_rebuilt(state, branches)
                note = None if isinstance(state.note, TutorError) else state.note
                after = carry_on(replace(take_retokenized(state, branches), note=None))
                return replace(after, note=after.note or note)
            except TutorError as error:
                return _fail(replace(state, request_failed=True), error)
        case events.RequestFailed(_, error):
            return _fail(replace(state, request_failed=True), error)
        case _:
            assert_never(event)


def _fail(state: State, error: TutorError) -> State:
    """Return the state after a failed request."""
    if state.handed_in is not None and state.mode == "chat" and isinstance(error, ContextFull):
        advice = MAKE_ROOM if state.full else SHORTEN if state.tree else SHORTEN_FIRST
        error = ContextFull(error.happened, advice)
    elif state.to_rebuild is not None and not isinstance(error, EngineError):
        kept = KEPT if state.mode == "chat" else TEXT_KEPT
        error = type(error)(error.happened, kept)
        state = replace(state, refused=state.mode == "text")
    state = after_failure(state, error)
    return hint_inside(state) if state.panel == "editor" else state


def _stop_reading(state: State) -> State:
    if state.reading is None:
        return state
    done, total = state.reading
    stopped = RequestCancelled(
        _("Processing stopped at token {done:,} of {total:,}.").format(done=done, total=total),
        "Take a step to continue, or press e to edit the text.",
    )
    return after_failure(replace(state, request_failed=True), stopped).emit(
        effects.PlainEffect.CANCEL_REQUEST
    )


# --- prompts and messages ------------------------------------------------------------------------


def _use_text(state: State, event: events.UseText) -> State:
    if not event.text and state.mode == "chat":
        return state  # Enter was pressed in an empty field
    if not event.text:
        nothing = TextError("The text is empty.", "Write at least one character.")
        return replace(state, note=nothing)
    # The draft is kept until the model has accepted it.
    changes = state.document.changes if event.kept is None else event.kept
    drafted = state.document.with_draft(event.text, event.place).with_changes(changes)
    before = state.document
    state = replace(_staying(state), document=drafted, note=None, panel=None, editing=False)
    if state.mode == "text" and state.to_rebuild is not None and state.refused:
        # This model cannot use the branches, so they become a saved text of their own.
        parted = before.with_draft(None).with_changes({})  # what was written is for the new text
        state = state.emit(effects.SaveText(parted), effects.PlainEffect.PART_TEXT)
        begun = replace(state.document, other_text=UNSET)
        state = replace(state, document=begun, note=ON_ITS_OWN, refused=False)
    return carry_out(state, replace(event, kept=None))


def _take_back(state: State) -> State:
    """Put all messages that the model has not received yet into the editor.

    Waiting changes of settings still apply. All other waiting commands were for the answer.
    """
    if state.mode == "text" or not has_unsent(state):
        return state
    state = unsent_as_draft(state)
    settings = events.SetSampler | events.SetSteering
    queue = tuple(each for each in state.queue if isinstance(each, settings))
    state = carry_on(replace(state, request=None, queue=queue))
    return _open_editor(replace(state, note=TAKEN_BACK)).emit(effects.PlainEffect.CANCEL_REQUEST)


def _begin(state: State, tokens: tuple[Token, ...]) -> State:
    """Add the tokens of a prompt or message to the text. Raises `TreeFull`."""
    document, tree, text = state.document, state.tree, state.handed_in
    before = tree
    chat = state.mode == "chat"
    if tree is None:
        tree = TokenTree.from_prompt(tokens, FIRST_SEED)
        document = document.with_sampler(state.sampler)
    elif chat:
        tree = _with_message(state, tree, tokens)
    else:
        tree = tree.start(tokens)
    document = document.with_tree(tree)
    handed_in = (text, state.handed_from)
    if text is not None and (document.drafts.get(state.mode), document.place) == handed_in:
        document = document.with_draft(None)
    if text is not None:
        document = document.with_entered(text)
    if text is not None and not chat:
        document = replace(document, prompt=text)
    note = None if isinstance(state.note, TutorError) else state.note
    edited = state.tree is not None and len(tree.branches) > len(state.tree.branches)
    state = replace(state, document=document, handed_in=None, note=note).without_answer()
    state = replace(state, editing=False, scroll=None)
    state = carry_on(replace(state, running=False))
    if chat and state.mode != "chat":
        return state  # a command that was waiting has left the conversation
    if not chat:
        return state if before is None or state.note else _after_prompt(before, state)
    failure = state.note if isinstance(state.note, TutorError) else None
    state = replace(carry_out(state, Signal.START), typing=text is not None)
    if failure is not None:
        return replace(state, note=failure)  # of a command that was waiting
    return replace(state, note=EDITED) if edited and state.note is None else state


def _after_prompt(before: TokenTree, state: State) -> State:
    """Say that the tokens that were added to the earlier prompt are kept."""
    if state.tree is None or len(state.tree.branches) == len(before.branches):
        return state
    note = _("The earlier text is kept as branch {number}. Press w to switch.")
    return replace(state, note=note.format(number=before.number))


def _with_message(state: State, tree: TokenTree, tokens: tuple[Token, ...]) -> TokenTree:
    """Add a message to a conversation. If `state.replaces` is true, replace the last message."""
    last = last_message(tree) if state.replaces else None
    if last is not None and last.before:
        tree = tree.fork(last.before)
    elif last is not None and ends_with_answer(tree.steps):
        tree = tree.fork(0)
    elif last is not None:
        return tree.start(tokens)
    return tree.extend(given_steps(tokens))


def _change_mode(state: State, mode: Mode) -> State:
    """Switch between the text and the conversation, which have separate trees."""
    if not state.ready:  # queued commands cannot be carried out while the engine is not ready
        state = unsent_as_draft(state)
        state = _restart(state, state.document)
    return carry_out(state, events.ChangeMode(mode))


def _restart(state: State, document: Document) -> State:
    """Return the initial state for a document."""
    state = replace(
        state, document=document, request=None, handed_in=None, answered=None, stale=None
    )
    state = replace(state, reading=None, running=False, queue=(), acted=False, note=None)
    state = replace(state, scroll=None, editing=False, undone=(), refused=False)
    return state.without_answer()


# --- panels --------------------------------------------------------------------------------------


def _save(state: State) -> effects.SaveText:
    """Return the effect that saves the text. Unsent messages and the editor's text are drafts."""
    written = state if state.writing is None else _handle_panel(state, state.writing)
    return effects.SaveText(unsent_as_draft(written).document)


def _open_editor(state: State) -> State:
    """Open the editor. In a chat, a running answer continues in the meantime."""
    chat = state.mode == "chat"
    if chat and state.ready and not state.chat_possible:
        return state
    state = hint_inside(_staying(state))
    open_before = state.panel == "editor"  # it still shows what it showed
    editing = state.editing if open_before else chat and is_edit(state)
    return replace(state, running=state.running and chat, panel="editor", editing=editing)


def _staying(state: State) -> State:
    """Return the state without changes of the mode that still wait.

    The learner writes in the mode that is on the screen, so the text must not go to the other one.
    """
    queue = tuple(each for each in state.queue if not isinstance(each, events.ChangeMode))
    return replace(state, queue=queue)


def _without_hint(state: State) -> State:
    """Return the state without a hint. An error stays until it is settled."""
    return state if isinstance(state.note, TutorError) else replace(state, note=None)


def _handle_panel(state: State, event: events.PanelEvent) -> State:
    match event:
        case events.ShowPanel(panel="editor"):
            # A hint may name keys that now insert text.
            return _open_editor(_without_hint(state))
        case events.ShowPanel(panel="search"):
            if state.answer is None:
                return state
            return replace(state, running=False, panel="search", query="", found=None)
        case events.ShowPanel(panel="recent"):
            state = state.emit(_save(state), effects.PlainEffect.LIST_TEXTS)
            if state.note != PARTED:
                state = _without_hint(state)
            return replace(state, running=False, panel="recent")
        case events.ShowPanel(panel="dials"):
            return replace(state, panel="dials").emit(effects.PlainEffect.LIST_VECTORS)
        case events.ShowPanel(panel):
            return replace(state, panel=panel)
        case events.LeaveEditor(text, changes, place):
            others = {each: changed for each, changed in changes.items() if each != place}
            document = state.document.with_draft(text, place).with_changes(others)
            return replace(hint_outside(state), document=document, panel=None, editing=False)
        case events.Writing(editor):
            return replace(state, writing=editor)
        case events.SearchTokens(query, limit):
            return _search(state, query, limit)
        case events.TokensFound(query):
            return replace(state, found=event) if query == state.query else state
        case _:
            assert_never(event)


def _search(state: State, query: str, limit: int) -> State:
    state = replace(state, query=query)
    if state.answer is None or state.answered is None:
        return replace(state, found=events.TokensFound(query, (), ""))
    if not query:
        rows = state.answer.distribution.rows[:limit]
        return replace(state, found=events.TokensFound(query, rows, ""))
    return state.emit(effects.FindTokens(state.answered, query, limit))


# --- the saved texts -----------------------------------------------------------------------------


def _handle_texts(state: State, event: events.TextEvent) -> State:
    match event:
        case events.TextsListed(texts, open_id):
            return replace(state, texts=texts, open_id=open_id)
        case events.ToggleStar(info):
            starred = replace(info, starred=not info.starred)
            texts = tuple(starred if each == info else each for each in state.texts)
            return replace(state, texts=texts).emit(effects.StarText(info))
        case events.OpenText(info):
            state = state.emit(_save(state), effects.SwitchText(info, state.mode))
            return replace(state, panel=None)
        case events.TextOpened(document, fresh):
            # The invitation is for the text that has been opened, not for the text before it.
            state = replace(state, invited=False, panel=None)
            if document is None:
                return replace(state, note=CANNOT_BE_READ)
            state = _change_engine(_restart(state, document), state.engine)
            state = state.emit(effects.PlainEffect.CANCEL_REQUEST)
            return _open_editor(state) if fresh and state.mode == "text" else state
        case Share():
            return share(state, event)
        case _:
            assert_never(event)
