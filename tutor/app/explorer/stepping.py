"""Carry out commands on the tokens of a text. Each command turns one state into the next.

Commands are carried out in the order of the key presses. A command that needs the model's response
is queued until the response arrives. Therefore, no key is lost or applied twice, however fast the
learner types.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

from tutor.app.explorer import events
from tutor.app.explorer.chat.hints import MAKE_ROOM, MAKE_SPACE, another_answer, on_answer
from tutor.app.explorer.chat.loops import repeats_itself
from tutor.app.explorer.chat.messages import answer_start
from tutor.app.explorer.chat.unsent import unsent_as_draft
from tutor.app.explorer.chat.update import move_token, switch_version
from tutor.app.explorer.events import Command, Signal
from tutor.app.explorer.state import ROWS
from tutor.app.explorer.undoing import redo, remove_branch, undo
from tutor.course.goals import Evidence
from tutor.errors import ContextFull, TutorError
from tutor.language import _
from tutor.lm.token_tree import TreeFull, text_of
from tutor.text import visible

if TYPE_CHECKING:
    from tutor.app.explorer.effects import Answer, Question
    from tutor.app.explorer.state import State
    from tutor.lm.distribution import Row
    from tutor.lm.token_tree import How, TokenTree

RUN_LIMIT = 200
"""The maximum number of tokens in one run. Pressing `r` starts another run."""
COMPLETE = _("The answer is complete. Press e to write, or s for another answer.")
QUEUE_LIMIT = 32
_SETTINGS = events.SetSampler | events.SetSteering | events.ChangeMode | events.UseText
"""The commands that have an effect even if there is no text yet."""
MOST_ROWS = 600


def carry_out(state: State, command: Command) -> State:
    """Queue a command, and carry out all commands that can be carried out now.

    If the last request failed, it is sent again.
    """
    if state.request_failed:
        state = replace(state, request=None, request_failed=False)
    state = _paused(state, command)
    waits = state.handed_in is not None or state.to_rebuild is not None
    text = isinstance(command, events.UseText) and (state.mode == "chat" or bool(state.queue))
    if state.tree is None and not (waits and text):
        if isinstance(command, _SETTINGS):
            return _apply(state, command)
        return state
    if len(state.queue) >= QUEUE_LIMIT:
        return replace(state, note=f"{QUEUE_LIMIT} steps are waiting for the model.")
    return carry_on(replace(state, queue=(*state.queue, command)))


def carry_on(state: State) -> State:
    """Carry out commands from the queue until one has to wait for the model."""
    while state.queue and state.handed_in is None and state.to_rebuild is None:
        command = state.queue[0]
        waits = command is Signal.STEP or isinstance(command, events.NeedsAnswer)
        if waits and not (state.answer or state.unasked):
            break
        state = replace(state, queue=state.queue[1:], note=None, acted=True)
        # The learner pressed this key after the key that started the run.
        state = _paused(state, command)
        try:
            state = _apply(state, command)
        except TutorError as error:
            state = after_failure(state, error)
    return state


def apply_settings(state: State) -> State:
    """Apply all changes of the settings and the mode that are waiting, in their order.

    They need no tokens, so they must not wait for another model, while newer ones apply at once.
    """
    waiting, state = state.queue, replace(state, queue=())
    for command in waiting:
        if isinstance(command, events.SetSampler | events.SetSteering | events.ChangeMode):
            state = _apply(state, command)
        else:
            state = replace(state, queue=(*state.queue, command))
    return state


def _paused(state: State, command: Command) -> State:
    """Return the state with the run stopped and the scroll position reset.

    A command that changes the sampler or the steering does not stop the run.
    """
    if isinstance(command, events.SetSampler | events.SetSteering):
        return state
    return replace(state, running=False, typing=False, scroll=None)


def after_failure(state: State, error: TutorError) -> State:
    """Return the state after a failure, with the error as the message to show.

    The text, the settings and the panels are kept, and unsent texts become drafts. The table's rows
    are removed, because they may describe another position.
    """
    if isinstance(error, TreeFull):
        error = TreeFull(error.happened, MAKE_SPACE)
    state = unsent_as_draft(state)
    state = replace(state, note=error, stale=None, handed_in=None, reading=None, queue=())
    return replace(state, running=False, typing=False)


def take_answer(state: State, question: Question, answer: Answer) -> State:
    """Store a response of the model, and carry out the commands that were waiting for it."""
    if state.tree is not None and question.surprisals_from is not None:
        known = state.tree.note_surprisals(question.surprisals_from, answer.surprisals)
        state = state.with_tree(known)
    state = replace(state, answer=answer, stale=answer, answered=question)
    if state.acted:
        state = _show_evidence(state, None)
    if state.running and not state.queue:
        state = _run_on(state)
    return carry_on(state)


def _apply(state: State, command: Command) -> State:
    """Carry out one command immediately. Raises `TutorError` if that is not possible."""
    match command:
        case events.SetSampler(sampler):
            document = state.document.with_sampler(sampler)
            return replace(state, document=document).without_answer()
        case events.SetSteering(applied):
            document = state.document.with_steering(applied)
            return replace(state, document=document, undone=()).without_answer()
        case events.ChangeMode(mode):
            # What still waits was written for the mode that the learner leaves.
            state = unsent_as_draft(state)
            queue = tuple(each for each in state.queue if not isinstance(each, events.UseText))
            document = replace(state.document, mode=mode)
            state = replace(state, document=document, handed_in=None, reading=None, queue=queue)
            state = replace(state, stale=None, invited=False, editing=False, note=None)
            return state.without_answer()
        case events.UseText(text, instead, place=place):
            return replace(state, handed_in=text, replaces=instead, handed_from=place)
        case _:
            return state if state.tree is None else _apply_to_tree(state, state.tree, command)


def _apply_to_tree(state: State, tree: TokenTree, command: events.TreeCommand) -> State:
    match command:
        case Signal.STEP:
            return _step(state, tree)
        case events.TakeRow(index):
            rows = state.answer.distribution.rows if state.answer else ()
            return _choose(state, tree, rows[index], "taken") if index < len(rows) else state
        case events.TakeFound(row):
            return _choose(state, tree, row, "taken")
        case events.MoveCursor(by):
            return _move_cursor(state, by)
        case Signal.BACK:
            return undo(state, tree)
        case Signal.REDO:
            return redo(state, tree)
        case events.MoveFocus(by):
            return state.moved(tree.move(by))
        case events.MoveToken(by):
            return state.moved(move_token(state, tree, by))
        case Signal.FORK:
            return _fork(state, tree)
        case Signal.NEW_SEED:
            return _new_seed(state, tree)
        case Signal.START if state.mode == "chat" and state.complete:
            return replace(state.moved(tree.move(tree.length)), note=COMPLETE)
        case Signal.START:
            return _start_run(state, tree)
        case events.SwitchBranch(number):
            if not tree.has_branch(number):
                return state
            return state.with_tree(tree.switch(number)).without_answer()
        case events.SwitchVersion(by):
            return switch_version(state, tree, by).without_answer()
        case events.RemoveBranch(number):
            return remove_branch(state, tree, number)
        case _:
            assert_never(command)


def _step(state: State, tree: TokenTree) -> State:
    if tree.focus == 0:
        return state.moved(tree.move(1))
    target = state.target
    if target is None:
        return state
    selected = state.cursor is not None  # even if the selected row is also the model's draw
    return _choose(state, tree, target.row, target.how, selected=selected)


def _choose(state: State, tree: TokenTree, row: Row, how: How, *, selected: bool = False) -> State:
    if not tree.at_end and tree.steps[tree.focus].token.id == row.token.id:
        return state.moved(tree.move(1))
    if state.full and tree.at_end:
        raise ContextFull(
            _("The text has {context:,} tokens, as many as the model can process at once.").format(
                context=state.context
            ),
            MAKE_ROOM
            if state.mode == "chat"
            else "Undo some tokens, or start from a shorter prompt.",
        )
    chosen = tree.choose(row.token, how, row.surprisal_bits)
    by_learner = how == "taken" or selected
    state = _show_evidence(state.with_tree(chosen), row.rank if by_learner else None)
    if len(chosen.branches) > len(tree.branches):
        state = replace(state, note=f"New branch {chosen.number}. Press w to switch.")
    return state.without_answer()


def marked_row(state: State) -> int:
    """Return the index of the row whose token Enter takes, or -1 if no row of the table has it."""
    target = state.target
    if state.answer is None or target is None:
        return -1
    rows = enumerate(state.answer.distribution.rows)
    return next((index for index, row in rows if row.token.id == target.row.token.id), -1)


def _move_cursor(state: State, by: int) -> State:
    if state.answer is None or not (rows := state.answer.distribution.rows):
        return state
    offered = state.answer.offered
    moved = marked_row(state) + by
    if moved < 0 and all(row.token.id != offered.token.id for row in rows):
        return replace(state, cursor=None)  # only the line below the table shows the offered token
    if moved < len(rows):
        return replace(state, cursor=max(0, moved))
    if len(rows) < state.top or state.top >= MOST_ROWS:  # there are no more rows
        return replace(state, cursor=len(rows) - 1)
    top = min(MOST_ROWS, state.top + ROWS)
    return replace(state, top=top, answer=None, cursor=min(moved, top - 1))


def _fork(state: State, tree: TokenTree) -> State:
    forked = tree.fork()
    state = state.with_tree(forked).without_answer()
    note = f"New branch {forked.number}. The next token goes here. Press w to switch."
    state = replace(state, note=note)
    return _show_evidence(state, None)


def _new_seed(state: State, tree: TokenTree) -> State:
    """Return to the prompt with a new seed.

    If there are tokens after the prompt, this starts a new branch. In a conversation, the model
    then writes another answer.
    """
    chat = state.mode == "chat"
    seed = max(branch.seed for branch in tree.branches) + 1
    start = answer_start(tree) if chat else tree.current.prompt_length
    if start < tree.length:
        kept = _("Branch {number} is kept. Press w to switch.").format(number=tree.number)
        note = _("Restarted from the prompt with seed {seed}. {kept}").format(seed=seed, kept=kept)
        if chat:
            note = another_answer(seed)
        tree = tree.fork(start)
    else:
        note = _("The seed is now {seed}.").format(seed=seed)
        tree = tree.move(tree.length)
    tree = tree.reseed(seed)
    state = replace(state.with_tree(tree), note=note).without_answer()
    return _start_run(state, tree) if chat else state


def _start_run(state: State, tree: TokenTree) -> State:
    state = state.moved(tree.move(tree.length))
    return _run_on(replace(state, running=not state.unasked, run_length=0))


def _run_on(state: State) -> State:
    """Take the token that was sampled, unless the run has reached its limit."""
    if state.answer is None or state.tree is None:
        return state
    if state.run_length >= RUN_LIMIT:
        note = _("Stopped after {run_limit} tokens, the limit for one run.").format(
            run_limit=RUN_LIMIT
        )
        if state.mode == "text":
            note += " " + _("Press r to continue.")
        return replace(state, running=False, note=note)
    try:
        state = _choose(state, state.tree, state.answer.distribution.drawn, "drawn")
    except TutorError as error:
        return after_failure(state, error)
    state = replace(state, run_length=state.run_length + 1, running=not state.ended)
    if state.mode == "chat" and (said := on_answer(state)) is not None:
        return replace(state, note=said)
    return _without_loop(state)


def _without_loop(state: State) -> State:
    """Stop the run if the answer repeats itself, as small models do at low temperatures."""
    steps = state.tree.steps[-state.run_length :] if state.tree else ()
    if state.mode == "text" or not (state.running and repeats_itself(steps)):
        return state
    note = _("The answer was stopped because it repeats itself.")
    return replace(state, running=False, note=note)


def _show_evidence(state: State, taken_rank: int | None) -> State:
    """Emit the evidence for checking the lab's goals."""
    tree = state.tree
    if tree is None:
        return state
    seen = state.answer.distribution if state.answer else None
    rows = seen.rows if seen else ()
    shares: dict[str, float] = {}
    for row in rows:  # several tokens can look the same; the most probable one counts
        shares.setdefault(visible(row.token.data), row.probability)
    evidence = Evidence(
        top_probability=rows[0].probability if rows else None,
        entropy_bits=seen.entropy_bits if seen else None,
        shares=shares,
        unlisted=rows[-1].probability if rows else 1.0,
        kept=seen.kept if seen else None,
        taken_rank=taken_rank,
        branch_lengths=tree.branch_lengths(),
        written=text_of(tree.steps[tree.current.prompt_length :]),
        ended=state.ended,
        prompt_changed=_prompt_changed(state, tree),
    )
    return state.emit(evidence)


def _prompt_changed(state: State, tree: TokenTree) -> bool:
    """Return True if the learner has changed the prompt that the lab sets."""
    if state.given is None or state.mode == "chat":
        return False
    prompt = itertools.takewhile(lambda step: step.how == "prompt", tree.steps)
    # Some tokenizers add a space at the start.
    return text_of(prompt).lstrip() != state.given.lstrip()
