"""Test the explorer as a function of state and event: commands, answers, goals, documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.fake_engine import CARD, END, all_rows, distribution, split, token
from tutor.app.explorer import effects, events
from tutor.app.explorer.chat.unsent import written_in_field
from tutor.app.explorer.document import FIRST_PROMPT, FIRST_SEED, Document, Mode
from tutor.app.explorer.effects import Answer, EngineInfo, Question, Retokenize, Start
from tutor.app.explorer.guess import game as guess_game
from tutor.app.explorer.saved_texts import SavedTexts
from tutor.app.explorer.state import State, Target
from tutor.app.explorer.stepping import MOST_ROWS, QUEUE_LIMIT, RUN_LIMIT, marked_row
from tutor.app.explorer.update import returns_texts, update
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.course.goals import Evidence
from tutor.course.lesson import Lab
from tutor.course.model_value import Sampler
from tutor.engine.api import EngineState
from tutor.errors import ContextFull, EngineError, TutorError
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.lm.distribution import ModelCard, SamplerSettings, Token
from tutor.lm.token_tree import MAXIMUM_BRANCHES, MAXIMUM_TOKENS, TokenTree, TreeFull
from tutor.text import visible

PROMPT = split("The capital of France is")


class Learner:
    """A learner in front of the explorer: its state, and a fake engine that answers on request."""

    def __init__(
        self, *, given: str | None = None, card: ModelCard = CARD, tokens: Sequence[Token] = PROMPT
    ) -> None:
        self.evidence: list[Evidence] = []
        self.effects: list[effects.Effect] = []
        self.state = State(document=Document(), given=given)
        self.send(events.EngineChanged(EngineInfo(EngineState.READY, model=card)))
        self.send(events.TokensArrived(Start(FIRST_PROMPT), tuple(tokens)))

    def send(self, *happened: events.Event) -> None:
        for event in happened:
            self.state, wanted = update(self.state, event)
            self.effects += wanted
            self.evidence += [effect for effect in wanted if isinstance(effect, Evidence)]

    def answer(self, times: int = 1) -> None:
        for _ in range(times):
            question = self.state.request
            assert isinstance(question, Question)
            self.send(events.Answered(question, answer_to(question)))

    def use(self, text: str) -> None:
        """Submit another prompt or message, and have it tokenized."""
        self.send(events.UseText(text))
        request = self.state.request
        assert isinstance(request, Start)
        self.send(events.TokensArrived(request, tuple(split(request.text))))

    @property
    def tree(self) -> TokenTree:
        assert self.state.tree is not None
        return self.state.tree

    @property
    def target(self) -> Target:
        assert self.state.target is not None
        return self.state.target

    @property
    def text(self) -> str:
        return "".join(item.text for item in self.tree.tokens)


def answer_to(question: Question) -> Answer:
    """Return the fake model's answer."""
    path = question.tokens[: question.position]
    actual = None
    if question.actual is not None:
        rows = all_rows(path, question.sampler)
        actual = next(row for row in rows if row.token.id == question.actual)
    missing = len(question.tokens) - (question.surprisals_from or len(question.tokens))
    found = distribution(path, question.sampler, question.seed, question.top)
    return Answer(found, actual, (1.0,) * missing)


@pytest.fixture
def learner() -> Learner:
    return Learner()


def test_enter_takes_the_models_draw(learner: Learner) -> None:
    learner.answer()
    target = learner.target
    assert (target.row, target.how) == (distribution(PROMPT).drawn, "drawn")
    learner.send(events.Signal.STEP)
    assert learner.text == "The capital of France is" + target.row.token.text


def test_the_same_seed_and_choices_give_the_same_text() -> None:
    texts = []
    for _ in range(2):
        learner = Learner()
        for _ in range(10):
            learner.answer()
            learner.send(events.Signal.STEP)
        for _ in range(4):
            learner.send(events.Signal.BACK)
        for _ in range(4):
            learner.answer()
            learner.send(events.Signal.STEP)
        texts.append(learner.text)
    straight = Learner()
    for _ in range(10):
        straight.answer()
        straight.send(events.Signal.STEP)
    assert texts == [straight.text] * 2


def test_keys_typed_ahead_are_carried_out_in_order(learner: Learner) -> None:
    learner.send(events.TakeRow(0))
    learner.send(events.TakeRow(0))
    learner.send(events.Signal.BACK)
    learner.send(events.TakeRow(1))
    assert len(learner.state.queue) == 4
    learner.answer(3)
    assert len(learner.state.queue) == 0
    assert learner.text == "The capital of France is Paris."


def test_a_row_chosen_ahead_is_the_one_that_is_taken(learner: Learner) -> None:
    learner.answer()
    learner.send(events.TakeRow(0))
    for _ in range(3):
        learner.send(events.MoveCursor(1))
    learner.send(events.Signal.STEP)
    assert len(learner.state.queue) == 4
    learner.answer()
    rows = distribution(split("The capital of France is Paris")).rows
    assert rows[0].token.text == ","  # the model's draw, from which the cursor moved
    assert learner.text == "The capital of France is Paris" + rows[3].token.text


def test_typing_far_ahead_is_limited_with_a_message(learner: Learner) -> None:
    for _ in range(QUEUE_LIMIT + 5):
        learner.send(events.Signal.STEP)
    assert len(learner.state.queue) == QUEUE_LIMIT
    assert "waiting" in str(learner.state.note)


def test_a_late_answer_to_an_old_question_is_dropped(learner: Learner) -> None:
    question = learner.state.question
    assert question is not None
    learner.send(events.SetSampler(SamplerSettings(top_k=1)))
    learner.send(events.Answered(question, Answer(distribution(PROMPT))))
    assert learner.state.answer is None


def test_an_earlier_focus_offers_the_actual_token(learner: Learner) -> None:
    learner.answer()
    learner.send(events.TakeRow(0))
    learner.answer()
    learner.send(events.MoveFocus(-1))
    learner.answer()
    target = learner.target
    assert target.row.token == token(" Paris")
    learner.send(events.Signal.STEP)
    assert learner.tree.at_end
    assert len(learner.tree.branches) == 1


def test_another_choice_earlier_makes_a_branch(learner: Learner) -> None:
    learner.answer()
    learner.send(events.TakeRow(0))
    learner.send(events.MoveFocus(-1))
    learner.answer()
    learner.send(events.MoveCursor(1))
    target = learner.target
    assert "new branch" in target.reason
    learner.send(events.Signal.STEP)
    assert learner.text == "The capital of France is the"
    assert len(learner.tree.branches) == 2


def test_before_the_first_token_there_is_no_question(learner: Learner) -> None:
    learner.send(events.MoveFocus(-100))
    assert learner.state.question is None
    learner.send(events.Signal.STEP)
    learner.send(events.TakeRow(0))
    assert learner.tree.focus == 1
    assert len(learner.state.queue) == 1


def test_a_new_seed_restarts_from_the_prompt(learner: Learner) -> None:
    learner.answer()
    learner.send(events.Signal.STEP)
    before = learner.text
    learner.send(events.Signal.NEW_SEED)
    assert learner.text == "The capital of France is"
    assert learner.tree.current.seed == FIRST_SEED + 1
    learner.send(events.SwitchBranch(1))
    assert learner.text == before
    assert learner.tree.current.seed == FIRST_SEED


def test_running_stops_at_an_end_token() -> None:
    ends = tuple(item.id for item in split(" Paris"))
    learner = Learner(card=msgspec.structs.replace(CARD, end_ids=ends))
    learner.send(events.SetSampler(SamplerSettings(top_k=1)))
    learner.use("The")
    learner.use("The capital of France is")
    learner.answer()
    learner.send(events.Signal.RUN)
    assert learner.state.ended
    assert not learner.state.running
    assert learner.state.run_length == 1


def test_a_run_stops_at_its_limit_and_can_be_continued() -> None:
    learner = Learner(card=msgspec.structs.replace(CARD, end_ids=(), context=10_000))
    learner.answer()
    learner.send(events.Signal.RUN)
    while learner.state.running:
        learner.answer()
    assert learner.state.run_length == RUN_LIMIT
    assert str(RUN_LIMIT) in str(learner.state.note)
    learner.send(events.Signal.RUN)
    assert learner.state.running
    assert learner.state.run_length == 1


def test_any_command_stops_a_run(learner: Learner) -> None:
    learner.send(events.Signal.RUN)
    assert learner.state.running
    learner.send(events.Signal.BACK)
    assert not learner.state.running


def test_a_key_after_the_one_for_a_run_stops_it_even_if_both_waited(learner: Learner) -> None:
    learner.send(events.Signal.STEP, events.Signal.RUN, events.MoveFocus(-1))
    learner.answer()
    assert not learner.state.running
    learner.answer()
    assert (learner.tree.length, len(learner.tree.branches)) == (len(PROMPT) + 1, 1)


def test_a_full_context_is_reported_and_nothing_is_lost() -> None:
    learner = Learner(card=msgspec.structs.replace(CARD, context=len(PROMPT) + 1))
    learner.answer()
    learner.send(events.Signal.STEP)
    before = learner.text
    assert learner.state.full
    learner.answer()
    learner.send(events.Signal.STEP)
    assert isinstance(learner.state.note, ContextFull)
    assert learner.text == before


def test_a_failure_keeps_the_text_and_stops_the_run(learner: Learner) -> None:
    learner.send(events.Signal.RUN)
    request = learner.state.request
    assert request is not None
    ended = EngineError("The engine ended.", "It starts again.")
    learner.send(events.RequestFailed(request, ended))
    assert learner.state.note is ended
    assert not learner.state.running
    assert len(learner.state.queue) == 0
    assert learner.text == "The capital of France is"


def test_a_text_that_the_model_rejects_opens_in_the_editor_again(learner: Learner) -> None:
    learner.send(events.UseText("too long"), events.TakeRow(0))
    request = Start("too long")
    assert learner.state.request == request
    refused = ContextFull("It does not fit.", "Use a shorter text.")
    learner.send(events.RequestFailed(request, refused))
    state = learner.state
    assert (state.note, state.panel, state.handed_in) == (refused, "editor", None)
    assert state.document.drafts == {"text": "too long"}
    assert isinstance(state.request, Question)
    assert (learner.text, state.queue) == ("The capital of France is", ())


def test_a_newer_draft_stays_when_the_text_before_it_is_accepted(learner: Learner) -> None:
    learner.send(events.UseText("The"), events.LeaveEditor("The c"))
    learner.send(events.TokensArrived(Start("The"), tuple(split("The"))))
    assert learner.text == "The"
    assert learner.state.document.drafts == {"text": "The c"}


def saved_drafts(learner: Learner) -> dict[Mode, str]:
    """Save, and return the drafts that were saved."""
    learner.send(events.Signal.SAVE)
    saved = learner.effects[-1]
    assert isinstance(saved, effects.SaveText)
    return saved.document.drafts


def test_the_text_in_the_open_editor_is_saved(learner: Learner) -> None:
    writing = events.Writing(events.LeaveEditor("The c"))
    learner.send(events.ShowPanel("editor"), writing)
    assert saved_drafts(learner) == {"text": "The c"}
    assert (learner.state.panel, learner.state.document.drafts) == ("editor", {})
    learner.use("The c")
    assert saved_drafts(learner) == {}
    learner.send(events.ShowPanel("editor"))
    assert saved_drafts(learner) == {}
    learner.send(writing, events.LeaveEditor("The"))
    assert saved_drafts(learner) == {"text": "The"}
    learner.send(writing)  # the field has closed by the time at which this arrives
    assert saved_drafts(learner) == {"text": "The"}


def test_a_pending_request_is_not_sent_twice(learner: Learner) -> None:
    learner.effects.clear()
    learner.send(events.Signal.PAUSE, events.ShowPanel("dials"), events.Signal.SAVE)
    assert not any(isinstance(effect, Question | Start) for effect in learner.effects)


def test_rows_beyond_the_last_are_requested(learner: Learner) -> None:
    learner.answer()
    for _ in range(60 - marked_row(learner.state)):
        learner.send(events.MoveCursor(1))
    question = learner.state.question
    assert question is not None
    assert question.top == 120 <= MOST_ROWS
    learner.answer()
    assert learner.target.row.rank == 61
    learner.send(events.MoveCursor(-61))
    assert learner.target.row.rank == 1


def test_evidence_has_only_the_ranks_that_the_learner_chose(learner: Learner) -> None:
    learner.answer()
    assert learner.evidence == []
    learner.send(events.TakeRow(2))
    assert learner.evidence[-1].taken_rank == 3
    top = learner.evidence[-1].top_probability
    assert top == distribution(PROMPT).rows[0].probability
    learner.answer()
    assert learner.evidence[-1].taken_rank is None
    learner.send(events.Signal.STEP)
    assert learner.evidence[-1].taken_rank is None
    assert learner.evidence[-1].branch_lengths == (2,)


def test_the_models_draw_counts_if_the_learner_has_selected_it(learner: Learner) -> None:
    learner.answer()
    assert learner.target.how == "drawn"
    rank = learner.target.row.rank
    learner.send(events.MoveCursor(1), events.MoveCursor(-1))
    assert learner.target.how == "drawn"
    learner.send(events.Signal.STEP)
    assert learner.evidence[-1].taken_rank == rank


def test_a_draw_that_is_not_in_the_table_can_be_selected_again(learner: Learner) -> None:
    question = learner.state.question
    assert question is not None
    found = distribution(question.tokens, question.sampler, question.seed, question.top)
    drawn = replace(found.rows[-1], rank=200, token=replace(found.rows[-1].token, id=10_000))
    learner.send(events.Answered(question, Answer(replace(found, drawn=drawn))))
    for moves in ([1], [1, 1, 1]):
        learner.send(*map(events.MoveCursor, moves))
        assert learner.target.row.rank == len(moves)
        learner.send(*(events.MoveCursor(-1) for _ in moves))
        assert (learner.target.row, learner.state.cursor) == (drawn, None)


def test_the_cursor_stays_on_the_last_row_if_there_are_no_more(learner: Learner) -> None:
    question = learner.state.question
    assert question is not None
    found = distribution(question.tokens, question.sampler, question.seed, question.top)
    few = replace(found, rows=found.rows[:20])
    learner.send(events.Answered(question, Answer(few)))
    learner.send(*(events.MoveCursor(1) for _ in range(30)))
    assert learner.target.row == few.rows[-1]
    learner.send(events.MoveCursor(-1))
    assert learner.target.row == few.rows[-2]


def test_without_rows_there_is_no_cursor(learner: Learner) -> None:
    question = learner.state.question
    assert question is not None
    found = distribution(question.tokens, question.sampler, question.seed, question.top)
    learner.send(events.Answered(question, Answer(replace(found, rows=()))))
    learner.send(events.MoveCursor(1), events.MoveCursor(-1))
    assert learner.target.row == found.drawn


def test_evidence_has_the_text_and_the_distribution(learner: Learner) -> None:
    learner.answer()
    learner.send(events.TakeRow(0))
    taken = distribution(PROMPT).rows[0].token
    assert learner.evidence[-1].written == taken.text
    learner.answer()
    seen, now = learner.evidence[-1], learner.state.answer
    assert now is not None
    assert seen.shares[visible(now.distribution.rows[0].token.data)] == seen.top_probability
    assert seen.unlisted == now.distribution.rows[-1].probability
    assert (seen.entropy_bits, seen.kept) == (
        now.distribution.entropy_bits,
        now.distribution.kept,
    )
    assert not seen.prompt_changed
    learner.send(events.SetSampler(SamplerSettings(top_k=2)))
    learner.answer()
    assert learner.evidence[-1].kept == 2


def test_evidence_says_whether_the_prompt_was_changed() -> None:
    learner = Learner(given="The capital of France is")
    learner.answer()
    learner.send(events.MoveFocus(-1))
    learner.answer()
    assert not learner.evidence[-1].prompt_changed
    learner.use("The capital of Italy is")
    learner.answer()
    assert learner.evidence[-1].prompt_changed


def test_evidence_says_whether_the_text_has_ended(learner: Learner) -> None:
    learner.answer()
    last = all_rows(PROMPT, SamplerSettings())[0]
    learner.send(events.TakeFound(msgspec.structs.replace(last, token=END)))
    assert learner.evidence[-1].ended
    assert learner.evidence[-1].written == ""


# --- saved documents -----------------------------------------------------------------------------


def lab(kind: Literal["stepper", "chat"] = "stepper", prompt: str = "Hello") -> Lab:
    return Lab(id="first-steps", kind=kind, task="Step.", prompt=prompt)


def test_the_document_is_restored(tmp_path: Path, learner: Learner) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    learner.answer()
    learner.send(events.Signal.STEP)
    learner.send(events.SetSampler(SamplerSettings(temperature=0.7, top_k=40)))
    document = msgspec.structs.replace(
        learner.state.document, model="abc", marks=True, drafts={"chat": "Hel"}
    )
    SavedTexts(progress, None, None).save(document)
    opened = [SavedTexts(progress, None, None).recall()]
    assert progress.drain(60)
    opened.append(SavedTexts(BackgroundProgress(Progress.open(tmp_path)), None, None).recall())
    for back in opened:
        assert back.tree is not None
        assert back.tree.tokens == learner.tree.tokens
        assert (back.model, back.marks, back.sampler) == ("abc", True, document.sampler)
        assert back.drafts == {"chat": "Hel"}


def test_each_lab_has_its_own_texts(tmp_path: Path, learner: Learner) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    SavedTexts(progress, None, None).save(learner.state.document)
    fresh = SavedTexts(progress, lab(), None).recall()
    assert fresh.prompt == "Hello"
    assert fresh.tree is None
    assert SavedTexts(progress, lab("chat"), None).recall().mode == "chat"


def test_a_lab_starts_with_its_sampler_and_keeps_what_the_learner_sets(tmp_path: Path) -> None:
    greedy = msgspec.structs.replace(lab(), sampler=Sampler(temperature=0))
    progress = BackgroundProgress(Progress.open(tmp_path))
    texts = SavedTexts(progress, greedy, None)
    document = texts.recall()
    assert document.sampler.greedy
    warm = SamplerSettings(temperature=0.7)
    texts.save(msgspec.structs.replace(document, sampler=warm))
    assert SavedTexts(progress, greedy, None).recall().sampler == warm
    assert texts.fresh().sampler.greedy


def test_the_longest_possible_text_is_saved(tmp_path: Path) -> None:
    words = split("The capital of France is a city. 中文 ")
    tokens = (words * (MAXIMUM_TOKENS // len(words) + 1))[:MAXIMUM_TOKENS]
    tree = TokenTree.from_prompt(tokens, 1)
    progress = BackgroundProgress(Progress.open(tmp_path))
    SavedTexts(progress, None, None).save(Document(text=tree, chat=tree))
    assert progress.drain(60)
    again = SavedTexts(BackgroundProgress(Progress.open(tmp_path)), None, None).recall()
    for back in (again.text, again.chat):
        assert back is not None
        assert back.tokens == tuple(tokens)


BEFORE = (
    b'{"version":1,"model":"abc","mode":"text","marks":true,"sampler":{"temperature":0.7,'
    b'"top_k":0,"top_p":1.0,"min_p":0.0},"prompt":"The","text":{"branches":[{"number":1,"seed":2,'
    b'"parent":0,"shared":0,"ids":[3,39,40],"sizes":[3,4,4],"data":"VGhlIGNhdCBzYXQ=",'
    b'"how":"ppd","special":[]},{"number":2,"seed":3,"parent":1,"shared":2,"ids":[7],'
    b'"sizes":[3],"data":"IGlz","how":"t","special":[]}],"current":2,"focus":3},"chat":null,'
    b'"drafts":{"chat":"Hel"}}'
)
"""A document as an earlier version saved it."""


def test_a_document_of_an_earlier_version_is_read_and_saved_unchanged() -> None:
    document = Document.from_bytes(BEFORE)
    assert document is not None
    assert document.to_bytes() == BEFORE
    assert document.tree is not None
    assert document.tree.tokens == tuple(split("The cat is"))
    assert (document.tree.number, document.tree.current.seed) == (2, 3)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"{}x",
        b'{"version": 99}',
        b'{"sampler": {"temperature": -1}}',
        b'{"text": {"branches": [], "current": 1, "focus": 0}}',
        b'{"mode": "other"}',
    ],
)
def test_an_unreadable_document_counts_as_none(stored: bytes) -> None:
    assert Document.from_bytes(stored) is None


def test_another_model_tokenizes_the_text_again(learner: Learner) -> None:
    learner.answer()
    learner.send(events.TakeRow(0))
    other = msgspec.structs.replace(CARD, sha256="two")
    learner.send(events.EngineChanged(EngineInfo(EngineState.READY, model=other)))
    document = learner.state.document
    assert (document.tree, document.model) == (None, "two")
    assert document.prompt == "The capital of France is Paris"
    request = learner.state.request
    assert request == Retokenize((document.prompt,))
    assert "another model" in str(learner.state.note)
    assert document.for_model("two") == document
    learner.send(events.Rebuilt(request, (tuple(split("The capital of France is Paris")),)))
    assert learner.tree.tokens == tuple(split("The capital of France is Paris"))
    assert [step.how for step in learner.tree.steps[-2:]] == ["prompt", "taken"]
    assert learner.state.document.prompt == "The capital of France is"
    assert "another model" in str(learner.state.note)


OTHER = msgspec.structs.replace(CARD, sha256="two")


def load(learner: Learner, card: ModelCard = OTHER) -> None:
    learner.send(events.EngineChanged(EngineInfo(EngineState.READY, model=card)))


def with_two_branches(learner: Learner) -> TokenTree:
    """Write two branches, and return their tree."""
    for row in (0, 1):
        learner.answer()
        learner.send(events.TakeRow(row))
        learner.answer()
        if row == 0:
            learner.send(events.MoveFocus(-1))
    assert len(learner.tree.branches) == 2
    return learner.tree


def test_another_model_tokenizes_every_branch_again(learner: Learner) -> None:
    before = with_two_branches(learner)
    load(learner)
    saved = Document.from_bytes(learner.state.document.to_bytes())
    assert saved is not None
    assert saved.to_rebuild is not None
    assert [each.tokens for each in saved.to_rebuild.branches] == [
        each.tokens for each in before.branches
    ]
    request = learner.state.request
    assert isinstance(request, Retokenize)
    learner.send(events.Rebuilt(request, tuple(tuple(split(each)) for each in request.branches)))
    assert [each.tokens for each in learner.tree.branches] == [
        each.tokens for each in before.branches
    ]
    assert (learner.tree.number, learner.tree.at_end) == (before.number, True)
    assert learner.tree.branch_lengths() == before.branch_lengths()
    assert isinstance(learner.state.request, Question)
    learner.use("The")  # a new prompt keeps them too
    assert [each.tokens for each in learner.tree.branches[:2]] == [
        each.tokens for each in before.branches
    ]


def test_the_first_model_shows_all_branches_as_they_were(learner: Learner) -> None:
    before = with_two_branches(learner)
    load(learner)
    load(learner, CARD)
    assert learner.state.tree == before
    assert learner.state.document.prompt == "The capital of France is"
    assert learner.state.note is None


def test_a_prompt_that_waits_for_another_model_follows_the_branches(learner: Learner) -> None:
    before = with_two_branches(learner)
    learner.send(events.UseText("The"))
    load(learner)
    request = learner.state.request
    assert isinstance(request, Retokenize)
    learner.send(events.Rebuilt(request, tuple(tuple(split(each)) for each in request.branches)))
    assert learner.state.request == Start("The")
    learner.send(events.TokensArrived(Start("The"), tuple(split("The"))))
    assert len(learner.tree.branches) == len(before.branches) + 1


def test_branches_that_another_model_cannot_use_become_a_saved_text(
    learner: Learner, tmp_path: Path
) -> None:
    before = with_two_branches(learner)
    load(learner)
    request = learner.state.request
    assert request is not None
    learner.send(events.RequestFailed(request, ContextFull("It does not fit.", "Undo some.")))
    assert "This text is kept" in str(getattr(learner.state.note, "next_step", ""))
    learner.effects.clear()
    learner.use("The")
    assert learner.text == "The"
    texts = SavedTexts(BackgroundProgress(Progress.open(tmp_path)), None, None)
    for effect in learner.effects:
        if isinstance(effect, effects.SaveText):
            texts.save(effect.document)
        elif effect is effects.PlainEffect.PART_TEXT:
            texts.part()
    texts.save(learner.state.document)
    titles = {"The", "".join(each.text for each in before.tokens)}
    assert {info.title for info in texts.list()} == titles


def parts(learner: Learner) -> bool:
    """Send a prompt, and return whether it parts the earlier text."""
    learner.effects.clear()
    learner.send(events.UseText("The"))
    return effects.PlainEffect.PART_TEXT in learner.effects


@pytest.mark.parametrize("how", ["error", "stop"])
def test_a_temporary_failure_does_not_part_the_text(learner: Learner, how: str) -> None:
    before = with_two_branches(learner)
    load(learner)
    request = learner.state.request
    assert isinstance(request, Retokenize)
    if how == "error":
        learner.send(events.RequestFailed(request, EngineError("It ended.", "It starts again.")))
    else:
        learner.send(events.Reading(1, 10), events.Signal.STOP_READING)
    assert not parts(learner)
    assert learner.state.request == request
    learner.send(events.Rebuilt(request, tuple(tuple(split(each)) for each in request.branches)))
    learner.send(events.TokensArrived(Start("The"), tuple(split("The"))))
    assert len(learner.tree.branches) == len(before.branches) + 1


def refuse(learner: Learner) -> None:
    request = learner.state.request
    assert isinstance(request, Retokenize)
    learner.send(events.RequestFailed(request, ContextFull("It does not fit.", "Undo some.")))


def test_a_text_that_the_model_cannot_use_stays_so_until_the_model_changes(
    learner: Learner,
) -> None:
    with_two_branches(learner)
    load(learner)
    refuse(learner)
    state = learner.state
    learner.send(events.SetSampler(SamplerSettings(top_k=2)))  # this sends the request again
    assert isinstance(learner.state.request, Retokenize)
    assert parts(learner)
    (saved,) = (each for each in learner.effects if isinstance(each, effects.SaveText))
    assert saved.document.drafts == {}  # the new prompt is only in the new text
    learner.state = state
    load(learner, msgspec.structs.replace(CARD, sha256="three"))
    assert not parts(learner)


def test_an_error_of_an_earlier_model_goes_when_another_model_is_ready(learner: Learner) -> None:
    before = with_two_branches(learner)
    load(learner)
    refuse(learner)
    load(learner, msgspec.structs.replace(CARD, sha256="three"))
    assert learner.state.note is None
    request = learner.state.request
    assert isinstance(request, Retokenize)
    learner.send(events.RequestFailed(request, EngineError("It ended.", "It starts again.")))
    learner.send(events.SetSampler(SamplerSettings(top_k=2)))
    learner.send(events.Rebuilt(request, tuple(tuple(split(each)) for each in request.branches)))
    assert learner.state.note is None
    assert len(learner.tree.branches) == len(before.branches)


def test_commands_that_wait_for_another_model_are_carried_out_in_order(learner: Learner) -> None:
    first, second = SamplerSettings(temperature=0.5), SamplerSettings(temperature=0.9)
    learner.send(events.Signal.STEP, events.SetSampler(first), events.UseText("First"))
    assert len(learner.state.queue) == 3
    load(learner)
    learner.send(events.SetSampler(second), events.UseText("Second"))
    request = learner.state.request
    assert isinstance(request, Retokenize)
    learner.send(events.Rebuilt(request, tuple(tuple(split(each)) for each in request.branches)))
    for text in ("First", "Second"):
        assert learner.state.request == Start(text)
        learner.send(events.TokensArrived(Start(text), tuple(split(text))))
    assert learner.text == "Second"
    assert learner.state.sampler == second


def test_a_change_of_the_mode_does_not_wait_for_another_model(learner: Learner) -> None:
    own = SamplerSettings(temperature=0.5)
    learner.send(events.Signal.STEP, events.SetSampler(own), events.ChangeMode("chat"))
    assert learner.state.mode == "text"
    load(learner)
    assert (learner.state.mode, learner.state.queue) == ("chat", ())
    assert learner.state.document.sampler == own


# --- guessing ------------------------------------------------------------------------------------


def test_the_surprisal_of_a_guess_follows_from_its_probability() -> None:
    assert guess_game.learner_bits(0.5, True, 1025) == 1
    assert guess_game.learner_bits(0.5, False, 1025) == 11


def test_the_probabilities_of_a_learner_add_up_to_one() -> None:
    size = 315
    for confidence in guess_game.CONFIDENCES:
        right = 2 ** -guess_game.learner_bits(confidence, True, size)
        wrong = 2 ** -guess_game.learner_bits(confidence, False, size)
        assert right + (size - 1) * wrong == pytest.approx(1)


LOST = EngineError("The engine ended.", "It starts again.")


def fail(learner: Learner, error: TutorError = LOST) -> None:
    request = learner.state.request
    assert request is not None
    learner.send(events.RequestFailed(request, error))


def write(text: str) -> tuple[events.Event, events.Event]:
    """Return the events of writing a new text in the field without submitting it."""
    return events.ShowPanel("editor"), events.LeaveEditor(text, {"": text} if text else {})


def fill(learner: Learner) -> None:
    """Fill the tree with branches."""
    learner.answer()
    learner.send(events.Signal.STEP)
    while len(learner.tree.branches) < MAXIMUM_BRANCHES:
        learner.send(events.Signal.FORK)


def test_a_prompt_whose_request_fails_is_kept_beside_a_newer_draft(learner: Learner) -> None:
    learner.answer()
    learner.send(events.UseText("First"), *write("Newer"))
    _, happens = update(learner.state, events.Signal.SAVE)
    fail(learner)
    document = learner.state.document
    assert (document.drafts, document.changes) == ({"text": "Newer"}, {"First": "First"})
    assert document in [each.document for each in happens if isinstance(each, effects.SaveText)]
    assert learner.state.panel == "editor"
    assert isinstance(learner.state.note, EngineError)
    editor = PromptEditor()
    written = written_in_field(learner.state)
    editor.load(written.new, ("An earlier one",), changes=written.changes, at=written.place)
    assert editor._pages == ["An earlier one", "First", "Newer"]  # one press of ↑ shows it


def test_a_prompt_whose_request_fails_is_the_draft_if_the_learner_wrote_nothing(
    learner: Learner,
) -> None:
    learner.answer()
    learner.send(events.UseText("First"), *write(""))
    fail(learner)
    assert (learner.state.document.drafts, learner.state.document.changes) == (
        {"text": "First"},
        {},
    )


def test_all_prompts_that_were_not_used_are_kept(learner: Learner) -> None:
    learner.answer()
    learner.send(events.UseText("One"), events.Signal.STEP)
    learner.send(events.UseText("Two"), events.UseText("Mine", place="Theirs"), *write("Three"))
    fail(learner)
    document = learner.state.document
    assert document.drafts == {"text": "Three"}
    assert document.changes == {"One": "One", "Two": "Two", "Theirs": "Mine"}


def test_a_prompt_that_waits_is_kept_if_the_mode_changes(learner: Learner) -> None:
    learner.answer()
    learner.send(events.UseText("First"), *write("Newer"))
    learner.send(events.EngineChanged(EngineInfo(EngineState.LOADING)), events.ChangeMode("chat"))
    document = replace(learner.state.document, mode="text")
    assert learner.state.mode == "chat"
    assert (document.drafts, document.changes) == ({"text": "Newer"}, {"First": "First"})


def test_a_prompt_for_a_full_tree_is_kept_beside_a_newer_draft(learner: Learner) -> None:
    fill(learner)
    learner.send(events.UseText("First"), *write("Newer"))
    assert learner.state.panel is None
    before = learner.tree
    learner.send(events.TokensArrived(Start("First"), tuple(split("First"))))
    assert learner.tree == before
    document = learner.state.document
    assert (document.drafts, document.changes) == ({"text": "Newer"}, {"First": "First"})
    assert learner.state.panel == "editor"
    assert isinstance(learner.state.note, TreeFull)
    assert "Press Esc, then w." in learner.state.note.next_step  # “w” would insert text
    learner.send(events.LeaveEditor("Newer", {"First": "First", "": "Newer"}))
    assert learner.state.note.next_step.startswith("Press w,")


def test_only_events_that_fail_return_texts(learner: Learner) -> None:
    fill(learner)
    arrived = events.TokensArrived(Start("First"), tuple(split("First")))
    assert not returns_texts(learner.state, arrived)
    learner.send(events.UseText("First"), events.ShowPanel("editor"))
    assert returns_texts(learner.state, arrived)
    assert returns_texts(learner.state, events.RequestFailed(Start("First"), LOST))
    assert not returns_texts(learner.state, events.RequestFailed(Start("Other"), LOST))
    assert not returns_texts(learner.state, events.Say("Good."))


def test_a_failed_prompt_does_not_replace_the_changed_version_of_the_same_words(
    learner: Learner,
) -> None:
    learner.answer()
    learner.use("A")
    learner.answer()
    learner.send(events.ShowPanel("editor"), events.UseText("A", kept={"A": "A edited"}))
    learner.send(events.ShowPanel("editor"), events.LeaveEditor("B", {"A": "A edited", "": "B"}))
    fail(learner)
    assert learner.state.document.drafts["text"] == "B"
    assert learner.state.document.changes == {"A": "A edited"}


def test_the_editor_stays_closed_if_the_prompt_was_used_and_a_later_command_fails(
    learner: Learner,
) -> None:
    learner.answer()
    learner.send(events.Signal.STEP)
    while len(learner.tree.branches) < MAXIMUM_BRANCHES - 1:
        learner.send(events.Signal.FORK)
    learner.send(events.UseText("First"), events.Signal.FORK)
    request = learner.state.request
    assert isinstance(request, Start)
    learner.send(events.TokensArrived(request, tuple(split("First"))))
    assert learner.text == "First"
    assert isinstance(learner.state.note, TutorError)
    assert learner.state.panel is None
