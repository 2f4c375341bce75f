"""Test what the explorer draws, without a screen: bars, figures, wrapped text, rows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.engine.fake_engine import VOCABULARY, distribution, split, token
from tutor.app.explorer.distribution_table import (
    Columns,
    RowMarks,
    heading,
    rest_line,
    row_line,
    rows_block,
)
from tutor.app.explorer.readout import focus_line
from tutor.app.explorer.text_view import WINDOW, focused_line, token_texts, window, wrap
from tutor.app.explorer.xray.lines import attention_lines, lens_lines, spaced
from tutor.app.widgets import bars, figures
from tutor.labs.kit.dials import DIALS, reading, turned
from tutor.lm.distribution import PLAIN, LensRow, Row, SamplerSettings, Token
from tutor.lm.token_tree import Branch, Step, TokenTree

FRACTIONS = st.floats(0, 1)


def steps(*tokens: Token) -> list[Step]:
    return [Step(item, "prompt") for item in tokens]


@pytest.mark.parametrize("name", ["the", "(end of the message)"])
@pytest.mark.parametrize("width", [78, 60, 48])
def test_the_use_of_the_context_comes_before_how_a_token_came(width: int, name: str) -> None:
    drawn = tuple(Step(each, "drawn", 1.67) for each in split(" the" * 1100))
    tree = TokenTree((Branch(1, 1, drawn),), 1, len(drawn))
    line = focus_line(tree, 8192, width, name).plain
    assert line.endswith("1,100 of 8,192 tokens") == (width >= 60 or name == "the")
    assert ("drawn by the model" in line) == (width == 78 and name == "the")


# --- bars and figures ----------------------------------------------------------------------------


@given(FRACTIONS, st.integers(0, 60))
def test_a_bar_always_fills_its_width(fraction: float, width: int) -> None:
    drawn = bars.bar(fraction, width)
    assert len(drawn) == width
    assert bool(drawn.strip()) == (fraction > 0 and width > 0)


def test_bars_are_drawn_in_eighths() -> None:
    assert bars.bar(1, 4) == "████"
    assert bars.bar(0.5, 4) == "██  "
    assert bars.bar(0.53125, 4) == "██▏ "


@given(FRACTIONS, FRACTIONS, st.integers(0, 60))
def test_a_changed_bar_fills_its_width(before: float, after: float, width: int) -> None:
    assert sum(map(len, bars.change(before, after, width))) == width


def test_a_changed_bar_shows_what_it_gained_and_lost() -> None:
    assert bars.change(0.75, 0.25, 8) == ("██", "", "╌╌╌╌  ")
    assert bars.change(0.25, 0.75, 8) == ("██", "▒▒▒▒", "  ")


def test_surprise_rises_with_the_bits() -> None:
    heights = [bars.level(bits) for bits in (0, 3, 8, 100, math.inf)]
    assert heights == sorted(heights)
    assert heights[0] == "▁"
    assert heights[-1] == "█"


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1, "100.0 %"),
        (0.99996, ">99.9 %"),
        (0.714, "71.4 %"),
        (0.004, "0.4 %"),
        (0.00012, "0.012 %"),
        (1e-5, "0.001 %"),
        (3.1e-6, "<0.001 %"),
        (6e-36, "<0.001 %"),
        (0, "0 %"),
    ],
)
def test_percentages_never_claim_certainty(probability: float, text: str) -> None:
    assert figures.percent(probability) == text


@given(FRACTIONS)
def test_percentages_fit_their_column(probability: float) -> None:
    assert len(figures.percent(probability)) <= figures.PERCENT_WIDTH


@given(st.text(), st.integers(0, 30))
def test_fitting_gives_exactly_the_width(text: str, width: int) -> None:
    printable = "".join(char for char in text if char.isprintable())
    assert cell_len(figures.fit(printable, width)) == width


# --- the text ------------------------------------------------------------------------------------


def test_half_a_character_appears_with_the_token_that_completes_it() -> None:
    euro = [token(b"\xe2\x82"), token(b"\xac")]
    assert token_texts(steps(*euro), marks=True) == ["", "€"]


def test_bytes_that_stay_incomplete_are_named() -> None:
    assert token_texts(steps(token("The"), token(b"\xe2\x82")), marks=True) == ["The", "\\xe2\\x82"]


def test_special_tokens_can_be_hidden() -> None:
    marked = steps(token("<|im_start|>"), token("user"))
    assert token_texts(marked, marks=False) == ["", "user"]
    assert token_texts(marked, marks=True) == ["<|im_start|>", "user"]


def test_no_control_character_reaches_the_terminal() -> None:
    text = "".join(token_texts(steps(*VOCABULARY), marks=True))
    assert not any(char != "\n" and (ord(char) < 32 or 0x7F <= ord(char) < 0xA0) for char in text)
    assert "\u202e" not in text


def test_lines_break_at_spaces() -> None:
    lines = wrap(["The", " capital", " of", " Fra", "nce"], 14)
    assert ["".join(run.text for run in line.runs) for line in lines] == [
        "The capital of",
        "France",
    ]


def test_a_word_of_several_tokens_moves_to_the_next_line_as_a_whole() -> None:
    lines = wrap(["one", " two", " th", "ree"], 11)
    assert ["".join(run.text for run in line.runs) for line in lines] == ["one two", "three"]


def test_newlines_break_and_show() -> None:
    lines = wrap(["a\n\nb"], 20)
    assert ["".join(run.text for run in line.runs) for line in lines] == ["a⏎", "⏎", "b"]


@given(st.lists(st.text("ab é中文 \n", max_size=12), max_size=20), st.integers(4, 30))
def test_wrapping_fits_and_loses_only_spaces(texts: list[str], width: int) -> None:
    lines = wrap(texts, width)
    for line in lines:
        assert line.width == sum(run.width for run in line.runs) <= width
        assert all(run.width == cell_len(run.text) for run in line.runs)
    drawn = "".join(run.text for line in lines for run in line.runs)
    assert drawn.replace("⏎", "").replace(" ", "") == "".join(texts).replace("\n", "").replace(
        " ", ""
    )


@given(st.integers(0, 9000), st.integers(0, 9000))
def test_a_long_text_is_laid_out_only_around_the_focus(length: int, focus: int) -> None:
    focus = min(focus, length)
    start, end = window(length, focus)
    assert 0 <= start <= focus <= end <= length
    assert end - start <= 3 * WINDOW
    assert start == 0 or focus - start >= WINDOW
    assert end == length or end - focus >= WINDOW


def test_a_focus_without_cells_is_on_the_next_line() -> None:
    lines = wrap(["aaaa", "", "", " bbbb"], 5)
    assert focused_line(lines, 1) == 1
    assert focused_line(lines, 99) == 1


# --- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [34, 38, 50, 60, 78, 118, 198])
@pytest.mark.parametrize("sampled", [False, True])
def test_every_row_is_exactly_as_wide_as_the_table(width: int, sampled: bool) -> None:
    sampler = SamplerSettings(temperature=0.7, top_k=40, top_p=0.9) if sampled else PLAIN
    found = distribution(split("The capital of France is"), sampler, top=400)
    columns = Columns.fitting(width, sampled=sampled)
    for row in found.rows:
        line = row_line(row, columns, RowMarks(target=True, drawn=True))
        assert line.cell_length == width, line.plain
    assert heading(columns).cell_length == width


def test_a_wide_table_adds_up_the_probabilities_but_a_search_does_not() -> None:
    found = distribution(split("The capital of France is"))
    columns = Columns.fitting(118, sampled=False)
    assert "cumulative" in heading(columns).plain
    assert "100 %" in heading(columns).plain
    assert "12.5 %" in row_line(found.rows[1], columns, RowMarks(), 0.125).plain
    assert "cumulative" not in heading(Columns.fitting(109, sampled=False)).plain
    block = rows_block(found.rows[3:6], 118, 0, sampled=False, partial=False)
    assert "cumulative" not in block[0].plain
    assert all(line.cell_length == 118 for line in block)


def test_columns_drop_from_the_right() -> None:
    assert Columns.fitting(78, sampled=False).logit
    assert not Columns.fitting(60, sampled=False).logit
    assert Columns.fitting(60, sampled=False).id
    assert not Columns.fitting(38, sampled=False).id


def test_a_cut_row_says_what_cut_it() -> None:
    found = distribution(split("The capital of France is"), SamplerSettings(top_k=2))
    columns = Columns.fitting(78, sampled=True)
    kept, cut = (row_line(found.rows[i], columns, RowMarks()).plain for i in (1, 2))
    assert "cut" not in kept
    assert "cut by top-k ╌" in cut
    assert figures.percent(found.rows[2].probability) in cut


def test_the_rest_line_counts_everything_that_is_not_shown() -> None:
    found = distribution(split("The capital of France is"))
    line = rest_line(found, found.rows[:4], Columns.fitting(78, sampled=False)).plain
    left_out = 1 - sum(row.probability for row in found.rows[:4])
    assert f"{len(VOCABULARY) - 4} more" in line
    assert line.rstrip().endswith(figures.percent(left_out))


def test_the_rest_line_explains_the_parts_of_a_bar() -> None:
    found = distribution(split("The capital of France is"), SamplerSettings(top_k=2))
    for width, fits in ((118, True), (78, True), (38, False)):
        line = rest_line(found, found.rows[:4], Columns.fitting(width, sampled=True))
        assert ("█ kept  ▒ gained  ╌ lost" in line.plain) is fits
        assert line.cell_length <= width
    plain = rest_line(found, found.rows[:4], Columns.fitting(78, sampled=False)).plain
    assert "gained" not in plain


def test_a_rank_too_long_for_its_column_is_given_in_thousands() -> None:
    row = Row(12_345, token(" Paris"), 1e-9, -3.0, 1e-9)
    assert " 12k  ␣Paris" in row_line(row, Columns.fitting(78, sampled=False), RowMarks()).plain


def test_tokens_are_never_markup() -> None:
    for data in (b"[/", b"[b]", b"\\"):
        row = Row(1, token(data), 0.5, 1.0, 0.5)
        line = row_line(row, Columns.fitting(78, sampled=False), RowMarks())
        assert data.decode() in line.plain


# --- sampler settings ----------------------------------------------------------------------------


@pytest.mark.parametrize("dial", DIALS, ids=lambda dial: dial.name)
def test_a_setting_goes_from_end_to_end_and_back(dial: object) -> None:
    assert isinstance(dial, type(DIALS[0]))
    settings = PLAIN
    for _ in dial.stops:
        settings = turned(settings, dial, -1)
    assert getattr(settings, dial.field) == dial.stops[0]
    for _ in dial.stops:
        settings = turned(settings, dial, 1)
    assert getattr(settings, dial.field) == dial.stops[-1]


def test_a_value_between_two_stops_goes_to_the_next_one() -> None:
    temperature = DIALS[0]
    assert turned(SamplerSettings(temperature=0.73), temperature, 1).temperature == 0.8
    assert turned(SamplerSettings(temperature=0.73), temperature, -1).temperature == 0.7


def test_values_can_be_off_or_greedy() -> None:
    assert [reading(PLAIN, dial) for dial in DIALS] == ["1.00", "off", "off", "off"]
    assert reading(SamplerSettings(temperature=0), DIALS[0]) == "0 greedy"


# --- x-ray ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [38, 78, 158])
def test_xray_lines_fit(width: int) -> None:
    path = split("The capital of France is")
    lens = [LensRow(layer, token(b"\xcc\x81"), 0.5, 1e-12) for layer in range(31)]
    lines = attention_lines(path, [0.2] * len(path), range(len(path)), width) + lens_lines(
        lens, width
    )
    assert all(line.cell_length <= width for line in lines)


def test_layers_that_do_not_fit_are_spaced_evenly() -> None:
    assert spaced(31, 4) == [0, 10, 20, 30]
    assert spaced(3, 10) == [0, 1, 2]
