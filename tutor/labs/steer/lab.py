"""A lab in which the learner steers the network with a vector made from two lists of sentences."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import (
    Adjust,
    Choose,
    EditText,
    MoveFocus,
    NewSeed,
    Reset,
    Run,
    ShowView,
    Toggle,
    cycled,
    moved,
)
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.next_tokens.row import top_changed
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import LONGEST, one_of, work
from tutor.labs.steer.pairs import Lists, checked, pairs, sentences, word_sets
from tutor.labs.steer.questions import (
    BASE,
    AboutFiles,
    Answer,
    Compared,
    Cost,
    Delete,
    Entries,
    GridPoint,
    ListSaved,
    Made,
    Make,
    Measure,
    Measured,
    Next,
    Perplexity,
    Question,
    Restore,
    Save,
    Write,
    Written,
    at,
)
from tutor.labs.steer.state import LAYER, ONE, TURNS, State, View
from tutor.language import _
from tutor.lm import saved_steering
from tutor.lm.saved_steering import checked_name


class SaveAs(msgspec.Struct, frozen=True, tag_field="do", tag="save"):
    """Save the vector of the selected layer under a name."""

    name: str


class DeleteSaved(msgspec.Struct, frozen=True, tag_field="do", tag="delete"):
    """Delete the selected saved vector."""


Action = (
    EditText
    | Choose[Literal["pair"]]
    | Adjust[Literal["strength", "layer"]]
    | MoveFocus[Literal["saved"]]
    | ShowView[View]
    | Toggle[Literal["greedy"]]
    | NewSeed
    | Run
    | SaveAs
    | DeleteSaved
    | Reset
)
"""`EditText` replaces the prompt, a list of sentences ("first" or "second"), or the two sets of
words ("words"). `Toggle` switches between greedy and sampled continuations. `Run` stops or
continues the current view's measurement."""


def act(state: State, action: Action) -> State:
    if isinstance(action, MoveFocus):
        return replace(state, row=moved(state.row, action.by, len(state.saved or ())))
    if isinstance(action, Run):
        return replace(state, stopped=not state.stopped)
    state = replace(state, progress=None, stopped=False, failed="")
    match action:
        case EditText():
            return _edited(state, action)
        case Choose(by=by):
            pair = cycled(range(len(pairs())), state.pair, by)
            return _remade(replace(state, pair=pair, text="", own=None, own_words=None))
        case Adjust(by=by, dial="strength"):
            return replace(
                state, dial=moved(state.dial + TURNS, by, TURNS * 2 + 1) - TURNS, next=None
            )
        case Adjust(by=by):
            return _at_layer(state, state.layer + by)
        case ShowView(view=view):
            return replace(state, view=view)
        case Toggle():
            return replace(state, greedy=not state.greedy, written={})
        case NewSeed():
            return replace(state, greedy=False, seed=state.seed + 1, written={})
        case SaveAs(name=name):
            make = Make(state.lists, state.layer, new_name(state, name))
            return replace(state, pending=(*state.pending, make), view="saved")
        case DeleteSaved():
            chosen = (state.saved or ())[state.row : state.row + 1]
            deleted = (Delete(each.name) for each in chosen)
            return replace(state, pending=(*state.pending, *deleted))
        case Reset():
            return replace(_at_layer(state, LAYER), dial=0)


def new_name(state: State, name: str) -> str:
    """Return the name for a new vector. Raises `TextError` if it is invalid or already used."""
    name = checked_name(name)
    if any(each.name == name for each in state.saved or ()):
        raise saved_steering.name_is_used(name)
    return name


def _edited(state: State, action: EditText) -> State:
    text = action.text
    match action.field:
        case "first":
            return _remade(replace(state, own=Lists(sentences(text), state.lists.second)))
        case "second":
            return _remade(replace(state, own=Lists(state.lists.first, sentences(text))))
        case "words":
            return replace(state, own_words=word_sets(text), next=None, effects={})
        case _:
            return replace(state, text=sentence(text), next=None, effects={}, written={})


def _remade(state: State) -> State:
    """Return the state without the results of the previous vector."""
    costs = {spot: cost for spot, cost in state.costs.items() if spot == BASE}
    return replace(state, next=None, effects={}, costs=costs, written={})


def _at_layer(state: State, layer: int) -> State:
    """Return the state with another layer, and without the results of the previous layer."""
    written = {dial: reply for dial, reply in state.written.items() if not dial}
    layer = moved(layer, 0, state.layers or layer + 1)
    return replace(state, layer=layer, next=None, written=written)


def question(state: State) -> Question | None:
    if not state.layers:  # A restored layer may not exist in this model.
        return Next(state.lists, state.prompt, state.words, BASE)
    if state.pending:
        return state.pending[0]
    if state.view == "saved" and state.saved is None:
        return ListSaved()
    if state.next is None:
        return Next(state.lists, state.prompt, state.words, GridPoint(state.layer, state.dial))
    if state.view == "text" and not state.stopped:
        for dial in (0, state.dial):
            if not (reply := state.reply(dial)).done:
                seed = None if state.greedy else state.seed
                spot = GridPoint(state.layer, dial)
                return Write(state.lists, state.prompt, spot, seed, reply)
    # The goals about the perplexity don't depend on the view.
    for spot in (BASE, state.spot):
        if spot not in state.costs:
            return Cost(state.lists, spot)
    for spot in () if state.stopped else state.missing:
        if spot not in state.effects:
            return Measure(state.lists, state.prompt, state.words, spot)
        return Cost(state.lists, spot)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match question, answer:
        case Next(), Compared() if not state.layers:
            return _at_layer(replace(state, layers=answer.layers), state.layer)
        case Next(spot=spot), Compared():
            effects = {BASE: answer.before, at(spot.layer, spot.dial): answer.after}
            return replace(state, next=answer, effects={**state.effects, **effects})
        case Measure(spot=spot), Measured(effect=effect):
            return replace(state, effects={**state.effects, spot: effect})
        case Cost(spot=spot), Perplexity(perplexity=perplexity):
            return replace(state, costs={**state.costs, spot: perplexity})
        case Write(spot=spot), Written(reply=reply):
            return replace(state, written={**state.written, spot.dial: reply})
        case Make(), Made(vector=vector):
            return replace(state, pending=(Save(vector), *state.pending[1:]))
        case _, Entries(entries=entries, failed=failed):
            row = moved(state.row, 0, len(entries))
            # A request that has failed isn't repeated, because it would block all others.
            return replace(state, saved=entries, row=row, pending=state.pending[1:], failed=failed)
    return state


def lost(before: State, after: State) -> str:
    """Return a message about the sentences or the vector that an action has removed, or ""."""
    if before.own is not None and after.own is None:
        return _("Your own sentences were removed.")
    words_gone = before.own_words is not None and after.own_words is None
    if words_gone or (before.text and not after.text):
        return _("Your own text was removed.")
    for each in after.pending[len(before.pending) :]:
        if isinstance(each, Delete):
            return _("The vector “{name}” was deleted.").format(name=each.name)
    return ""


def undone(before: State) -> State:
    """Return the state before an action, plus a request to restore any vector that it deleted."""
    if not before.saved:
        return before
    restore = Restore(tuple(each.name for each in before.saved))
    return replace(before, pending=(*before.pending, restore))


DOWN_TO = 0.1
"""For the goal "turned", the praise words' probability must fall to at most this fraction of
its value without steering."""
UP_TO = 1.5
"""For the goal "turned", the neutral text's perplexity must rise by less than this factor."""
DESTROYED = 10.0
"""The factor by which the neutral text's perplexity must rise to count as destroyed."""
LITTLE, MUCH = 0.1, 1.0
"""Thresholds for an effect, in bits. An effect below `LITTLE` is negligible, and an effect above
`MUCH` is strong."""
MODERATE = 2 * ONE
"""For the goal "own-vector", the dial must not exceed this setting in either direction."""


@goal("turned", "Cut praise to a tenth while neutral perplexity rises by less than half")
def _turned(state: State) -> bool:
    praise = state.pair == 0 and state.own is None and state.own_words is None
    if not praise or state.next is None or state.perplexities is None:
        return False
    without, with_ = state.perplexities
    before, after = state.next.before, state.next.after
    return (
        after.first <= DOWN_TO * before.first
        and after.second > before.second
        and with_ < UP_TO * without
    )


@goal("destroyed", "Find a strength at which neutral perplexity is ten times as high")
def _destroyed(state: State) -> bool:
    if state.perplexities is None:
        return False
    without, with_ = state.perplexities
    return with_ >= DESTROYED * without


@goal(
    "no-effect",
    "Find a pair (x) and a layer at which strength 1 or −1 changes the prediction by less than "
    "0.1 bits, but by more than 1 bit at another layer",
)
def _no_effect(state: State) -> bool:
    """Return True if the vector has almost no effect at this layer, but a strong one at another."""
    here = state.effects.get(state.spot)
    if abs(state.dial) != ONE or here is None or here.bits >= LITTLE:
        return False
    same = (effect.bits for spot, effect in state.effects.items() if spot.dial == state.dial)
    return max(same) > MUCH


@goal(
    "own-vector",
    "Change the top token with two lists of your own (1, 2) and a strength of at most 2",
)
def _own_vector(state: State) -> bool:
    own, shipped = state.own, state.shipped
    if own is None or state.next is None or not 0 < abs(state.dial) <= MODERATE:
        return False
    theirs = {*shipped.first_texts, *shipped.second_texts}
    return theirs.isdisjoint((*own.first, *own.second)) and top_changed(state.next.rows)


def _own_lists(own: Lists | None) -> Lists | None:
    return own and Lists(checked(own.first), checked(own.second))


def _private(question: Question) -> bool:
    """Return True if a request is about files in the learner's data folder."""
    return isinstance(question, AboutFiles)


def _prompt(text: str) -> str:
    return text[:LONGEST] and sentence(text[:LONGEST])


def _own_words(words: Any) -> Any:
    return words and word_sets(f"{' '.join(words.first)};{' '.join(words.second)}")


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="steer",
    title="Steering",
    about="Add a vector to the network, and turn praise into blame",
    order=300,
    lesson="why",
    task=(
        "Choose two lists of sentences, a layer and a strength. See how the vector between the "
        "lists changes what the model says, what that costs, and at which layers it works. The "
        "cost is measured on a neutral text: its perplexity is the number of equally probable "
        "tokens that would surprise the model as much."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    undone=undone,
    work=work(
        "view",
        "layer",
        "greedy",
        "seed",
        pair=len(pairs()),
        text=_prompt,
        dial=one_of(tuple(range(-TURNS, TURNS + 1))),
        own=_own_lists,
        own_words=_own_words,
    ),
    reset_settings=lambda state: (
        act(state, Reset()) if state.dial or state.layer != _at_layer(state, LAYER).layer else None
    ),
    texts=("first", "second", "words"),
    private=_private,
    goals=(_turned, _destroyed, _no_effect, _own_vector),
    solution=(
        Adjust(9, "layer"),
        Adjust(-4, "strength"),
        Adjust(16, "strength"),
        Choose(2, "pair"),
        Adjust(-16, "strength"),
        ShowView("layers"),
        Adjust(-9, "layer"),
        ShowView("next"),
        Adjust(9, "layer"),
        EditText("The weather today is very"),
        EditText("The soup is hot\nThe fire burns\nThe summer sun is hot", "first"),
        EditText("The soup is cold\nThe ice freezes\nThe winter wind is cold", "second"),
    ),
)
