"""Test that ghost text is what the model generates, and that it belongs to the current text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, settled, small_model
from tutor.labs.ghost_text import lab
from tutor.labs.ghost_text.code_check import check
from tutor.labs.ghost_text.files import FILES
from tutor.labs.ghost_text.lab import (
    SEES,
    Accept,
    Answer,
    Beginning,
    Dismiss,
    EditFile,
    Pause,
    Proposal,
    State,
)
from tutor.labs.kit.actions import Adjust, Choose, Reset
from tutor.lm.session import Session

TEXT = "The capital of France is"


def typed(text: str, cursor: int | None = None) -> State:
    """Return the state after this text was typed, and a pause."""
    state = lab.act(lab.start(), EditFile(text, len(text) if cursor is None else cursor))
    return lab.act(state, Pause())


def proposing(text: str, pieces: list[bytes], **more: Any) -> State:
    """Return the state after this text was typed and these tokens were proposed."""
    state = typed(text)
    ids = tuple(range(len(pieces)))
    proposal = Proposal(state.context, None, ids, tuple(pieces), done=True, **more)
    return received(state, proposal)


def received(state: State, proposal: Proposal) -> State:
    question = lab.question(state)
    assert question is not None
    return lab.receive(state, question, Answer(proposal))


# --- the model ------------------------------------------------------------------------------------


def test_a_proposal_is_generated_by_greedy_decoding(tmp_path: Path) -> None:
    text = "The sea is"
    state = done("ghost-text", backend("ghost-text", tmp_path), EditFile(text, len(text)), Pause())
    model = small_model()
    session = Session(model, model.tokenizer.encode(text))
    written = b""
    while b"\n" not in written and len(session) < len(model.tokenizer.encode(text)) + lab.MOST:
        best = int(session.logits(len(session)).argmax())
        if best in model.tokenizer.end_ids:
            break
        session.append([best])
        written += model.tokenizer.token(best).data
    assert written.decode("utf-8", "replace").startswith(state.ghost)
    assert state.ghost


def test_half_a_word_is_completed(tmp_path: Path) -> None:
    """As a whole, the word would have been tokenized in another way."""
    text = "The capital of Fra"
    state = done("ghost-text", backend("ghost-text", tmp_path), EditFile(text, len(text)), Pause())
    assert state.ghost.startswith("nce")
    for beginning in state.current.beginnings:
        assert beginning.probability > 0
        assert beginning.data


def test_first_tokens_have_their_probability_among_those_that_fit(tmp_path: Path) -> None:
    there = backend("ghost-text", tmp_path)
    state = done("ghost-text", there, EditFile(TEXT, len(TEXT)), Pause())
    model = small_model()
    shares = Session(model, model.tokenizer.encode(TEXT)).logits(5).softmax(dim=-1)
    for beginning in state.current.beginnings:
        assert model.tokenizer.token(beginning.id).data == beginning.data
        assert beginning.probability == pytest.approx(float(shares[beginning.id]), rel=1e-4)
    other = settled(lab.LAB, lab.act(state, Choose(1, "beginning")), there)
    assert other.ghost.startswith(state.current.beginnings[1].data.decode())
    assert other.current.beginnings == state.current.beginnings
    assert settled(lab.LAB, lab.act(other, Choose(-1, "beginning")), there).ghost == state.ghost


def test_proposals_do_not_depend_on_time_slices(tmp_path: Path) -> None:
    there = backend("ghost-text", tmp_path)
    at_once = done("ghost-text", there, Choose(1, "file"), Choose(1, "file"))
    impatient = backend("ghost-text", tmp_path, moment=0.0)
    in_pieces = done("ghost-text", impatient, Choose(1, "file"), Choose(1, "file"))
    assert at_once.proposal == in_pieces.proposal


def test_a_file_that_is_too_long_loses_its_beginning(tmp_path: Path) -> None:
    text = "It is a fine day and the sea is blue. " * 60
    state = typed(text.strip())
    state = settled(lab.LAB, state, backend("ghost-text", tmp_path))
    model = small_model()
    total = len(model.tokenizer.encode(state.context))
    assert state.current.left_out > 0
    assert state.current.tokens + state.current.left_out == total
    assert state.current.tokens <= model.card.context


# --- what the model is shown ----------------------------------------------------------------------


def test_the_model_is_shown_nothing_below_the_cursor() -> None:
    for place, file in enumerate(FILES):
        state = lab.act(lab.start(), Choose(place, "file"))
        question = lab.question(state)
        assert question is not None
        assert file.text[: file.cursor].endswith(question.context)
        assert file.text[file.cursor :].partition("\n")[0] == ""


@given(st.text("ab\n ", max_size=40), st.data())
def test_the_model_is_shown_the_lines_up_to_the_cursor(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    state = lab.act(typed(text, cursor), Adjust(-10, "lines"))
    assert state.context == text[:cursor].split("\n")[-1]
    for steps, lines in enumerate(SEES):
        shown = lab.act(state, Adjust(steps, "lines")).context
        assert text[:cursor].endswith(shown)
        assert shown.count("\n") + 1 == min(lines, text[:cursor].count("\n") + 1)


def test_another_budget_asks_again_and_both_lines_are_remembered() -> None:
    state = proposing("a = 1\nb =", [b" 2", b"\n"], closed=True)
    assert not lab.LAB.reached(state)
    less = lab.act(state, Adjust(-9, "lines"))
    question = lab.question(less)
    assert question is not None
    assert question.context == "b ="
    same = lab.receive(less, question, Answer(Proposal("b =", pieces=(b" 2",), done=True)))
    assert "more-of-the-file" not in lab.LAB.reached(same)
    other = lab.receive(less, question, Answer(Proposal("b =", pieces=(b" 3",), done=True)))
    assert "more-of-the-file" in lab.LAB.reached(other)


# --- the text that a proposal belongs to ----------------------------------------------------------


def test_the_model_is_asked_after_a_pause_and_no_old_proposal_is_shown() -> None:
    state = proposing("a =", [b" 1", b" +", b" 2", b"\n"], closed=True)
    assert state.ghost == " 1 + 2"
    for other in (EditFile("a = x", 5), EditFile("a ", 2), EditFile("a =", 1), EditFile("ab =", 4)):
        moved = lab.act(state, other)
        assert moved.ghost == ""
        assert lab.question(moved) is None
        asked = lab.question(lab.act(moved, Pause()))
        assert asked is None or asked.context != "a ="


def test_typing_the_proposed_text_keeps_the_proposal() -> None:
    state = proposing("a =", [b" 1", b" +", b" 2", b"\n"], closed=True)
    along = lab.act(lab.act(state, EditFile("a = 1", 5)), Pause())
    assert along.ghost == " + 2"
    assert lab.question(along) is None
    assert lab.question(lab.act(lab.act(along, EditFile("a = 1 -", 7)), Pause())) is not None


def test_a_late_proposal_is_not_shown() -> None:
    first = typed("a =")
    question = lab.question(first)
    assert question is not None
    later = lab.act(first, EditFile("b =", 3))
    late = lab.receive(later, question, Answer(Proposal("a =", pieces=(b" 1",), done=True)))
    assert late.ghost == ""
    assert late.proposed == {}


def test_in_the_middle_of_a_line_nothing_is_proposed() -> None:
    assert lab.question(typed("a = 1", 3)) is None
    assert lab.question(typed("a = 1\nb", 5)) is not None


def test_an_empty_file_gets_no_proposal() -> None:
    assert lab.question(typed("")) is None
    assert lab.question(typed("\n   ")) is None


def test_a_dismissed_proposal_stays_hidden_until_the_next_key() -> None:
    state = lab.act(proposing("a =", [b" 1", b"\n"], closed=True), Dismiss())
    assert state.ghost == ""
    assert lab.question(state) is None
    assert lab.question(lab.act(lab.act(state, EditFile("b =", 3)), Pause())) is not None


# --- accepting ------------------------------------------------------------------------------------


def test_accepting_a_token_a_word_and_the_whole_proposal() -> None:
    state = proposing("a =", [b" 1", b"0", b" +", b" 2", b"\n"], closed=True)
    token = lab.act(state, Accept("token"))
    assert (token.text, token.ghost) == ("a = 1", "0 + 2")
    again = lab.act(token, Accept("token"))
    assert (again.text, again.ghost) == ("a = 10", " + 2")
    word = lab.act(state, Accept("word"))
    assert (word.text, word.ghost) == ("a = 10", " + 2")
    all_ = lab.act(state, Accept())
    assert (all_.text, all_.ghost, all_.cursor) == ("a = 10 + 2", "", 10)
    assert lab.question(all_) is None  # The line ends here.
    assert lab.act(all_, Accept()) == all_


def test_text_below_the_cursor_stays() -> None:
    state = lab.start()
    below = state.text[state.cursor :]
    proposal = Proposal(state.context, pieces=(b" c",), done=True, closed=True)
    state = lab.act(received(state, proposal), Accept())
    assert state.text.endswith("return c" + below)


@given(st.lists(st.sampled_from([b"a", b" b", b"\xc3", b"\xa9", b" ", b"\x1b", b"\n"]), min_size=1))
def test_accepting_token_by_token_gives_the_same_text(pieces: list[bytes]) -> None:
    state = proposing("x", pieces, closed=True)
    at_once = lab.act(state, Accept()).text
    for _ in range(len(pieces) + 1):
        state = lab.act(state, Accept("token"))
    assert state.text == at_once
    assert "\x1b" not in at_once


def test_only_a_finished_line_is_checked() -> None:
    state = proposing("import string\nstring.", [b"upper", b"()", b"\n"], closed=True)
    part = lab.act(state, Accept("token"))
    assert part.accepted is None
    whole = lab.act(part, Accept())
    assert whole.accepted is not None
    assert whole.accepted.verdict.missing == ("string.upper",)
    assert "caught" in lab.LAB.reached(whole)


def test_after_an_unfinished_line_the_model_continues() -> None:
    state = proposing("a =", [b" 1"])
    question = lab.question(lab.act(state, Accept()))
    assert question is not None
    assert question.context == "a = 1"


# --- the files ------------------------------------------------------------------------------------


def test_files_keep_changes_until_they_are_reset() -> None:
    state = lab.act(lab.start(), EditFile("mine", 4))
    there = lab.act(state, Choose(1, "file"))
    assert there.text == FILES[1].text
    back = lab.act(there, Choose(-1, "file"))
    assert back.text == "mine"
    assert lab.act(back, Reset()).text == FILES[0].text


def test_a_text_that_is_too_long_is_cut() -> None:
    assert len(typed("x" * (lab.LONGEST + 10)).text) == lab.LONGEST


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_lines_known_to_be_correct_parse_and_use_known_names(file: Any) -> None:
    row = file.text.count("\n", 0, file.cursor)
    lines = file.text.split("\n")
    for right in file.right:
        assert right.startswith(lines[row].strip())
        whole = [*lines[:row], "    " + right, *lines[row + 1 :]]
        assert not check("\n".join(whole), row).caught


def test_states_are_plain_data() -> None:
    state = proposing("a =", [b" 1"], beginnings=(Beginning(1, b" 1", 0.5),))
    assert msgspec.json.decode(msgspec.json.encode(state.proposal), type=Proposal) == state.proposal
