"""Test that the state stays valid after any sequence of events."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from tests.app.explorer.chat.test_another_model import tokens_of
from tests.engine.fake_engine import CARD, END, VOCABULARY, split, token
from tutor.app.explorer import effects, events
from tutor.app.explorer.document import FIRST_PROMPT, Document, Mode
from tutor.app.explorer.effects import (
    Answer,
    EngineInfo,
    Question,
    Rebuild,
    Request,
    Retokenize,
    Start,
)
from tutor.app.explorer.readout import question_line
from tutor.app.explorer.state import State
from tutor.app.explorer.stepping import MOST_ROWS, QUEUE_LIMIT
from tutor.app.explorer.update import update
from tutor.engine.api import EngineState
from tutor.errors import ContextFull, EngineError, TutorError
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import Distribution, Row, SamplerSettings
from tutor.lm.saved_steering import Applied, SavedVector, packed

WORDS = (token(" Paris"), token(" the"), END, token(" a"))
ROWS = tuple(
    Row(rank, word, probability, -rank, probability)
    for rank, (word, probability) in enumerate(
        zip(WORDS, (0.4, 0.3, 0.2, 0.1), strict=True), start=1
    )
)
TEXT = TextInfo(id="t", place="free", at=0.0)
BROKEN = EngineError("The engine ended.", "It starts again.")
FULL = ContextFull("It does not fit.", "Undo some.")
CARDS = (
    CARD,
    msgspec.structs.replace(CARD, sha256="other", context=12),
    msgspec.structs.replace(CARD, sha256="plain", chat=False),
    msgspec.structs.replace(CARD, sha256="far", host="example.org"),
)


def answer_to(question: Question) -> Answer:
    """Return the answer of a model that knows four tokens."""
    drawn = ROWS[(question.seed + question.position) % len(ROWS)]
    known = len(question.tokens) - (question.surprisals_from or len(question.tokens))
    actual = None
    if question.actual is not None:
        actual = Row(9, VOCABULARY[question.actual], 0.001, -9, 0.001)
    found = Distribution(question.position, 4, 1.8, 1.8, 4, ROWS[: question.top], drawn)
    return Answer(found, actual, (1.0,) * known)


def result_of(request: Request) -> events.Event:
    if isinstance(request, Question):
        return events.Answered(request, answer_to(request))
    if isinstance(request, Rebuild):
        return events.Rebuilt(request, tuple(map(tokens_of, request.branches)))
    if isinstance(request, Retokenize):
        return events.Rebuilt(request, tuple(tuple(split(text)) for text in request.branches))
    text = f"<|im_start|>{request.text}" if request.chat else request.text
    return events.TokensArrived(request, tuple(split(text, special=request.chat)))


Drafts = dict[Mode, tuple[str, str]]
"""The draft of each mode, and the earlier text of which it is a version, or ""."""


def drafts_of(document: Document) -> Drafts:
    places = {} if document.draft_of is UNSET else document.draft_of
    assert set(places) <= set(document.drafts)
    return {mode: (draft, places.get(mode, "")) for mode, draft in document.drafts.items()}


def _unsent(state: State) -> list[tuple[str, str]]:
    """Return the texts that the model has not received yet, and where they were written."""
    queued = [each for each in state.queue if isinstance(each, events.UseText)]
    unsent = [(each.text, each.place) for each in queued]
    if state.handed_in is not None:
        unsent.insert(0, (state.handed_in, state.handed_from))
    return unsent


def _changes_mode(state: State) -> bool:
    """Return True if a change of the mode waits, which another model carries out at once.

    It returns unsent texts to the editor, even if the last of several leads to the same mode.
    """
    return any(isinstance(each, events.ChangeMode) for each in state.queue)


def _with_unsent(state: State, drafts: Drafts) -> Drafts:
    """Return the drafts, with the first message that the model has not received yet.

    All other unsent texts that were written at the same place follow it. In a text, prompts do
    not follow each other, and the draft is the latest text.
    """
    unsent = _unsent(state)
    if not unsent:
        return drafts
    if state.mode == "text":
        newer = drafts.get("text", ("", ""))[0]
        return drafts if newer else drafts | {"text": unsent[-1]}
    place = unsent[0][1]
    newer = state.document.changes.get(place, "")
    draft = drafts.get("chat", ("", ""))
    if draft != unsent[-1] and draft[1] == place:
        newer = draft[0] if place else newer or draft[0]
    same = [text for text, at in unsent if at == place]
    return drafts | {"chat": ("\n".join([*same, newer] if newer else same), place)}


class Explorer:
    """An explorer whose engine holds one request at a time and answers it when the test says so."""

    def __init__(self, first: Document, first_message: str) -> None:
        self.state = State(document=first, given=FIRST_PROMPT, first_message=first_message)
        self.held: Request | None = None
        self.past: list[Request] = []
        self.drafts = drafts_of(first)

    def send(self, event: events.Event) -> None:
        before = self.state
        if isinstance(event, events.EngineChanged):
            self.held = None  # another engine does not know the request
        self.state, wanted = update(before, event)
        assert sum(isinstance(effect, Request) for effect in wanted) <= 1
        self._expect_drafts(before, event)
        parted = effects.PlainEffect.PART_TEXT in wanted
        for effect in wanted:
            self._run(effect, event, before, parted=parted)
        self._check()

    def _run(
        self, effect: effects.Effect, event: events.Event, before: State, *, parted: bool
    ) -> None:
        match effect:
            case Question() | Start() | Rebuild() | Retokenize():
                assert self.state.ready
                assert effect == self.state.owed
                assert effect != self.held
                self.held = effect
                self.past.append(effect)
            case effects.PlainEffect.CANCEL_REQUEST:
                self.held = None
            case effects.SaveText(document):
                state, drafts = self.state, self.drafts
                if before.writing is not None and not isinstance(event, events.UseText):
                    # Saving keeps the editor's text just as leaving the editor does.
                    state, _ = update(state, before.writing)
                    drafts = drafts | {before.mode: (before.writing.text, before.writing.place)}
                expected = _with_unsent(state, drafts)
                if parted:  # the draft is for the new text
                    expected = {mode: draft for mode, draft in expected.items() if mode != "text"}
                assert drafts_of(document) == expected
            case _:
                pass

    def _expect_drafts(self, before: State, event: events.Event) -> None:
        """Expect a draft to stay until the model accepts it, or the learner writes another.

        After a failure, all texts that the model has not received are drafts or changed texts.
        """
        failed = isinstance(self.state.note, TutorError) and self.state.note is not before.note
        unsent = [text for text, _ in _unsent(before)]
        if unsent and failed and not _unsent(self.state):
            self.drafts = _with_unsent(before, self.drafts)
            now = self.state.document
            found = [*now.drafts.values(), *now.changes.values()]
            if before.mode == "chat":
                found = "\n".join(found).split("\n")
            assert set(unsent) <= set(found)
            return
        match event:
            case events.LeaveEditor(text, changes, place):
                self.drafts[before.mode] = (text, place)
                kept = {*self.state.document.changes.values(), self.state.document.prompt}
                assert kept >= {text for each, text in changes.items() if each != place}
            case events.UseText(text, place=place) if text:
                self.drafts[before.mode] = (text, place)
            case events.Signal.TAKE_BACK if before.mode == "chat":
                self.drafts = _with_unsent(before, self.drafts)
            case events.EngineChanged() if _changes_mode(before) and not _unsent(self.state):
                self.drafts = _with_unsent(before, self.drafts)
            case events.ChangeMode() if before.tree is None or not before.ready:
                self.drafts = _with_unsent(before, self.drafts)
            case events.TextOpened(Document() as document):
                self.drafts = drafts_of(document)
            case events.TokensArrived(request) if request == before.owed and before.handed_in:
                now = self.state.document
                tree = now.chat if before.mode == "chat" else now.text
                taken = tree is not before.tree  # not if the tree is full
                sent = (before.handed_in, before.handed_from)
                if taken and self.drafts.get(before.mode) == sent:
                    del self.drafts[before.mode]
            case _:
                pass

    def _check(self) -> None:
        state, tree = self.state, self.state.tree
        assert state.effects == ()
        assert drafts_of(state.document) == self.drafts
        assert len(state.queue) <= QUEUE_LIMIT
        assert state.top <= MOST_ROWS
        assert state.cursor is None or 0 <= state.cursor < state.top
        if state.ready and state.owed is not None:
            assert state.request == state.owed  # the request is pending or has failed
        if tree is None:
            assert state.answer is None
            assert not state.running
            return
        assert 0 <= tree.focus <= tree.length
        assert not state.running or tree.at_end
        if state.answer is not None:
            asked = state.answered
            assert asked is not None
            assert (asked.tokens, asked.position) == (state.path, tree.focus)
            assert (asked.sampler, asked.seed) == (state.sampler, tree.current.seed)
        self._check_shown()

    def _check_shown(self) -> None:
        """The heading, the mark and the rows belong to the same token of the text on screen."""
        state, tree, shown = self.state, self.state.tree, self.state.shown
        heading = question_line(state, 80).plain
        if tree is None or shown is None:
            assert "last token" not in heading
            assert "entropy" not in heading
            return
        if shown.position is None:
            assert heading.startswith("previous rows")
            return
        asked = state.answered
        assert asked is not None
        assert asked.tokens[: shown.position] == tree.tokens[: shown.position]
        assert (asked.position, asked.sampler) == (shown.position, shown.sampler)
        assert shown.answer == answer_to(asked)
        at_end = ("next token", "after the message's end")
        assert heading.startswith(at_end) == (shown.position == tree.length)
        if heading.startswith("last token drawn"):
            assert shown.position == tree.length - 1
            assert shown.answer.distribution.drawn.token == tree.steps[-1].token
        if state.running and tree.steps[-1].how == "drawn" and shown.position == tree.length - 1:
            assert heading.startswith("last token drawn")

    def deliver(self) -> None:
        request, self.held = self.held, None
        if request is not None:
            self.send(result_of(request))

    def deliver_late(self, place: int) -> None:
        """Deliver an answer to an old request, which must change nothing unless it is due again."""
        request = self.past[place % len(self.past)] if self.past else None
        if request is not None and request != self.state.owed:
            before = self.state
            if request == self.held:
                self.held = None
            self.send(result_of(request))
            assert self.state.document == before.document
            assert self.state.answer is before.answer

    def fail(self, error: TutorError) -> None:
        """Let a request fail, which must drop the queue and keep choices and drafts."""
        request, self.held = self.held, None
        if request is None:
            return
        before = self.state
        self.send(events.RequestFailed(request, error))
        if request == before.owed:
            assert isinstance(self.state.note, type(error))
            assert self.state.queue == ()
            assert self.state.handed_in is None
            assert not self.state.running
            now = self.state.document
            written = replace(before.document, drafts=now.drafts, changed=now.changed)
            assert now == replace(written, draft_of=now.draft_of)


STEPS = st.one_of(
    st.sampled_from(
        [
            events.Signal.STEP,
            events.Signal.BACK,
            events.Signal.FORK,
            events.Signal.NEW_SEED,
        ]
    ),
    st.sampled_from([events.Signal.RUN, events.Signal.PAUSE, events.Signal.STOP_READING]),
    st.just(events.Signal.TAKE_BACK),
    st.builds(events.TakeRow, st.integers(0, 5)),
    st.builds(events.TakeFound, st.sampled_from(ROWS)),
    st.builds(events.MoveCursor, st.integers(-70, 70)),
    st.builds(events.MoveFocus, st.integers(-5, 5)),
    st.builds(events.MoveToken, st.integers(-5, 5)),
    st.builds(events.SwitchBranch, st.integers(1, 4)),
    st.builds(events.RemoveBranch, st.integers(1, 4)),
    st.builds(events.SetSampler, st.sampled_from([SamplerSettings(), SamplerSettings(top_k=2)])),
)
CHAT = st.one_of(
    st.builds(events.Scroll, st.sampled_from([None, 0, 7])),
    st.builds(events.ChooseSuggestion, st.sampled_from([-1, 1])),
    st.builds(events.EditLast, st.booleans()),
    st.builds(
        events.UseText,
        st.sampled_from(["Hello", " cat"]),
        instead=st.just(True),
        place=st.sampled_from(["", "Hello"]),
    ),
    st.just(events.Signal.FOLD),
)
LEFT = st.builds(
    events.LeaveEditor,
    st.sampled_from(["", "Hello", " cat"]),
    st.sampled_from([{}, {"": "New"}, {"Hello": " cat", " cat": "cats", "": "New"}]),
    st.sampled_from(["", "Hello"]),
)
WRITING = st.one_of(
    st.builds(events.UseText, st.sampled_from(["", "Hello", " world", " Paris the a"])),
    LEFT,
    st.builds(events.Writing, LEFT),
    st.builds(events.ChangeMode, st.sampled_from(["text", "chat"])),
)
VECTOR = SavedVector(
    name="it",
    model=CARD.sha256,
    model_name=CARD.name,
    layer=0,
    first=("a",),
    second=("b",),
    values=packed([1.0]),
)
TEXTS = st.one_of(
    st.builds(events.ShowPanel, st.sampled_from([None, "search", "dials", "editor", "recent"])),
    st.builds(events.SearchTokens, st.sampled_from(["", "a"]), st.integers(1, 9)),
    st.builds(events.TokensFound, st.sampled_from(["", "a"]), st.just(ROWS), st.just("")),
    st.builds(events.OpenText, st.sampled_from([None, TEXT])),
    st.builds(
        events.TextOpened,
        st.sampled_from([None, Document(), Document(mode="chat", drafts={"chat": "No"})]),
        st.booleans(),
    ),
    st.sampled_from(
        [
            events.Signal.SAVE,
            events.Signal.MARKS,
            events.Signal.RETRY,
            events.Say("Good."),
        ]
    ),
    st.just(events.TextsListed((TEXT,), "t")),
    st.just(events.ToggleStar(TEXT)),
    st.builds(events.SetSteering, st.sampled_from([None, Applied(VECTOR, 1.0)])),
    st.just(events.VectorsListed((VECTOR,))),
)
ENGINE = st.builds(
    events.EngineChanged,
    st.builds(
        EngineInfo,
        st.sampled_from([EngineState.READY, EngineState.READY, *EngineState]),
        model=st.sampled_from(CARDS),
    ),
)
ACTS = st.lists(
    st.one_of(
        STEPS,
        WRITING,
        TEXTS,
        CHAT,
        ENGINE,
        st.sampled_from(["deliver", "deliver", "deliver", "read", "fail", "refuse"]),
        st.just("deliver"),
        st.integers(0, 20),
    ),
    min_size=20,
    max_size=60,
)
FIRST = st.sampled_from([Document(), Document(mode="chat"), Document(drafts={"text": "The"})])


@given(FIRST, st.sampled_from(["", "Hello"]), ACTS)
def test_the_state_stays_valid_after_any_events(
    first: Document, first_message: str, acts: list[events.Event | str | int]
) -> None:
    it = Explorer(first, first_message)
    it.send(events.EngineChanged(EngineInfo(EngineState.READY, model=CARD)))
    for act in acts:
        match act:
            case int():
                it.deliver_late(act)
            case "deliver":
                it.deliver()
            case "read":
                if isinstance(it.held, Question):
                    it.send(events.Reading(1, it.held.position))
            case "fail":
                it.fail(BROKEN)
            case "refuse":
                it.fail(FULL)
            case str():
                raise AssertionError(act)
            case _:
                it.send(act)
    it.send(events.Signal.PAUSE)
    it.send(events.EngineChanged(EngineInfo(EngineState.READY, model=CARD)))
    while it.held is not None:
        it.deliver()
        it.send(events.Signal.PAUSE)
    assert it.state.queue == ()  # once the engine has answered, the queue is empty
    assert it.state.handed_in is None
    assert it.state.owed is None
