"""Test the views of the x-ray through keys, on the fake engine."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.explorer.explorer_stage import Stage, press, settled, shown
from tests.app.explorer.test_steering import VECTOR, own_vectors
from tests.engine.fake_engine import HEADS, LAYERS, FakeEngine, split, token
from tests.later import later
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.explorer.xray.inside import BINS, ChosenHead, Findings, Network, squeezed, strip_of
from tutor.app.explorer.xray.lens_map import LensMapTab
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets.lines import Lines
from tutor.errors import EngineError, RequestCancelled
from tutor.lm.distribution import LensRow, RoutedExpert, Token
from tutor.lm.saved_steering import folder_of_learner, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.lm.attribution import Attribution

__all__ = ["own_vectors"]

PROMPT = "The capital of France is"
PATIENCE = 20.0
VIEWS = ("attention", "lens", "why", "map", "tokens", "heads", "lens map")


def to(view: str) -> list[str]:
    """Return the keys that open a view from the first one."""
    return ["tab"] * VIEWS.index(view)


class XRayed:
    """The x-ray of a text under a pilot."""

    def __init__(self, stage: Stage, pilot: Pilot[Any]) -> None:
        self.stage = stage
        self.pilot = pilot
        self.engine = stage.fake

    async def press(self, *keys: str) -> None:
        await press(self.pilot, *keys)

    @property
    def view(self) -> XRayView:
        return self.stage.screen.query_one(XRayView)

    @property
    def heading(self) -> str:
        return self.view.query_one("#about", Lines).text

    @property
    def rows(self) -> list[str]:
        return [line.rstrip() for line in self.view.query_one("#rows", Lines).plain]

    @property
    def selected(self) -> str:
        """The selected row, without its mark."""
        return next(row for row in self.rows if row.startswith("›")).removeprefix("›").strip()

    @property
    def shown_view(self) -> str:
        line = self.view.query_one("#tabs", Lines).text
        return line.partition("› ")[2].partition("    ")[0].strip()

    @property
    def screen(self) -> str:
        return shown(self.stage)

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen; the screen is\n{self.screen}"
            await self.pilot.pause()


@asynccontextmanager
async def xrayed(
    folder: Path, *keys: str, size: tuple[int, int] = (80, 24), engine: FakeEngine | None = None
) -> AsyncIterator[XRayed]:
    stage = Stage(ExplorerScreen, folder=folder, engine=engine)
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)
        it = XRayed(stage, pilot)
        await it.press("x", *keys)
        yield it


def mixture() -> FakeEngine:
    """Return an engine with a model whose layers each sent the token to two experts of eight."""
    engine = FakeEngine()
    engine.routes = tuple(
        (RoutedExpert(layer, 0.625), RoutedExpert(7, 0.25), RoutedExpert(None, 0.8))
        for layer in range(LAYERS)
    )
    return engine


async def attribution_of(text: str = PROMPT, *explained: str) -> Attribution:
    """Return what the fake engine computes for the end of a text."""
    session = await FakeEngine().open_text(text)
    ids = [token(each).id for each in explained]
    return await session.attribution(len(split(text)) - 1, *ids)


def strongest(found: Attribution) -> tuple[int, int]:
    """Return the layer and the head that add most, counted from 1."""
    every = {
        (layer, head): value
        for layer, heads in enumerate(found.heads, start=1)
        for head, value in enumerate(heads, start=1)
    }
    return max(every, key=every.__getitem__)


# --- views ---------------------------------------------------------------------------------------


async def test_tab_goes_through_all_views_and_back(tmp_path: Path) -> None:
    async with xrayed(tmp_path) as it:
        seen = []
        for __ in VIEWS:
            seen.append(it.shown_view)
            await it.press("tab")
        assert tuple(seen) == VIEWS
        assert it.shown_view == "attention"
        await it.press("shift+tab")
        assert it.shown_view == "lens map"


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (190, 44)])
async def test_every_view_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    async with xrayed(tmp_path, size=size) as it:
        for view in VIEWS:
            lines = it.view.query_one("#rows", Lines)
            assert it.shown_view.startswith(view.split()[0])
            assert 0 < len(it.rows) <= lines.size.height, view
            for name in ("#tabs", "#about", "#rows"):
                widget = it.view.query_one(name, Lines)
                assert all(len(line.rstrip()) <= widget.size.width for line in widget.plain), view
            await it.press("tab")


async def test_keys_follow_the_view_before_anything_is_known(tmp_path: Path) -> None:
    async with xrayed(tmp_path, "escape") as it:
        it.engine.hold("xray")
        await it.pilot.press("x")
        await it.until(lambda: "computing the x-ray" in it.screen)
        await it.pilot.press("tab")
        await it.until(lambda: "all layers" in it.screen)
        await it.pilot.press("tab")
        await it.until(lambda: "rather than" in it.screen)
        it.engine.release()
        await settled(it.pilot)
        assert it.heading.startswith("why")


# --- the head that is shown at first -------------------------------------------------------------


async def test_the_xray_opens_at_the_head_that_adds_most(tmp_path: Path) -> None:
    layer, head = strongest(await attribution_of())
    async with xrayed(tmp_path) as it:
        assert it.heading.startswith(f"layer  {layer} of {LAYERS}  head  {head} of {HEADS}")


async def test_another_token_has_another_head_until_the_learner_chooses(tmp_path: Path) -> None:
    async with xrayed(tmp_path) as it:
        headings = set()
        for __ in range(4):
            headings.add(it.heading.partition("  how")[0])
            await it.press("p")
        assert len(headings) > 1
        await it.press("n", "n", *["down"] * LAYERS, *["left"] * HEADS)
        for key in ("p", "n", "n"):
            await it.press(key)
            assert it.heading.startswith(f"layer  1 of {LAYERS}  head  1 of {HEADS}")


# --- why -----------------------------------------------------------------------------------------


async def test_the_list_contains_every_part_and_adds_up(tmp_path: Path) -> None:
    found = await attribution_of()
    async with xrayed(tmp_path, *to("why"), size=(80, 40)) as it:
        assert it.heading == f"why ␣Paris  after ␣is  logit {found.logit:.2f}"
        parts = [row for row in it.rows if "layer " in row or "embedding" in row]
        assert len(parts) == LAYERS * (HEADS + 1) + 1
        amounts = [
            next(float(word) for word in row.split() if word[0] in "+-" and "." in word)
            for row in parts
        ]
        assert amounts == sorted(amounts, key=abs, reverse=True)
        assert sum(amounts) == pytest.approx(found.logit, abs=0.1)
        (total,) = (row for row in it.rows if "sum of" in row)
        assert f"{found.logit:.2f}  = the logit of “␣Paris”" in total


async def test_enter_on_a_row_opens_the_attention_of_that_head(tmp_path: Path) -> None:
    found = await attribution_of()
    heads = [each.part for each in found.contributions if each.part.head is not None]
    async with xrayed(tmp_path, *to("why")) as it:
        while "head" not in it.selected:
            assert "enter attention" not in it.screen
            await it.press("down")
        assert "taken from" in it.rows[-1]
        assert "enter attention" in it.screen
        await it.press("enter")
        assert it.shown_view == "attention"
        part = heads[0]
        assert part.layer is not None
        assert part.head is not None
        assert it.heading.startswith(f"layer  {part.layer + 1} of 4  head  {part.head + 1} of 3")
        await it.press("p")  # a head that was opened counts as the learner's choice
        assert it.heading.startswith(f"layer  {part.layer + 1} of 4  head  {part.head + 1} of 3")


async def test_a_feed_forward_network_has_no_attention_to_open(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why"), size=(190, 44)) as it:
        while "feed-forward" not in it.selected:
            await it.press("down")
        assert "reads no other tokens" in it.rows[-1]
        assert "enter attention" not in it.screen
        text = it.stage.screen.query_one("#text", Lines).text
        await it.press("enter")
        assert it.shown_view == "why"
        assert it.stage.screen.query_one("#text", Lines).text == text  # it did not step


async def test_another_token_can_be_explained(tmp_path: Path) -> None:
    found = await attribution_of(PROMPT, " the")
    async with xrayed(tmp_path, *to("why")) as it:
        await it.press("slash")
        assert it.heading == "Explain which token?"
        await it.press(*"the", "enter")
        assert it.heading == f"why ␣the  after ␣is  logit {found.logit:.2f}"
        await it.press("z")
        assert it.heading.startswith("why ␣Paris")


async def test_one_token_rather_than_another(tmp_path: Path) -> None:
    found = await attribution_of(PROMPT, " Paris", " the")
    async with xrayed(tmp_path, *to("why")) as it:
        await it.press("a", "down", "enter")
        assert it.heading == f"why ␣Paris rather than ␣the  after ␣is  {found.logit:+.2f}"
        assert any("= “␣Paris” minus “␣the”" in row for row in it.rows)
        await it.press("d")
        assert it.heading.startswith("why ␣Paris  after ␣is  logit")


@pytest.mark.parametrize("key", ["escape", "tab"])
async def test_a_search_can_be_left_and_changes_nothing(tmp_path: Path, key: str) -> None:
    async with xrayed(tmp_path, *to("why")) as it:
        heading, rows = it.heading, it.rows
        await it.press("a", "q")
        assert "tab leave" in it.screen
        await it.press(key)
        assert (it.heading, it.rows) == (heading, rows)
        await it.press("tab")
        assert it.shown_view == "map"


async def test_inside_a_text_the_following_token_is_explained(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why"), "p") as it:
        assert it.heading.startswith("why ␣is  after ␣France")


async def test_the_map_begins_at_the_strongest_head_and_names_each_part(tmp_path: Path) -> None:
    found = await attribution_of()
    layer, head = strongest(found)
    async with xrayed(tmp_path, *to("map")) as it:
        amount = found.heads[layer - 1][head - 1]
        named = f"layer {layer:>2}  head {head}  {amount:+.2f}"
        assert any(row.startswith(named) for row in it.rows)
        await it.press(*["right"] * HEADS, *["up"] * LAYERS)
        amount = found.feed_forward[-1]
        assert any(row.startswith(f"layer  4  feed-forward  {amount:+.2f}") for row in it.rows)
        await it.press("left", "enter")
        assert it.heading.startswith(f"layer  4 of 4  head  {HEADS} of {HEADS}")


async def test_occlusion_is_beside_what_the_heads_took(tmp_path: Path) -> None:
    session = await FakeEngine().open_text(PROMPT)
    last = len(split(PROMPT)) - 1
    target = (await attribution_of()).target.id
    lost = await session.occlusion(last, tuple(range(last)), target)
    direct = [0.0] * (last + 1)
    for layer in range(LAYERS):
        for at, amount in enumerate(await session.sources(last, layer, None, target)):
            direct[at] += amount
    async with xrayed(tmp_path, *to("tokens")) as it:
        for at, row in enumerate(it.rows[1 : last + 2]):
            assert f"{direct[at]:+.2f}" in row
            differ = False
            if at < last:
                assert f"{lost[at].logits:+.2f}" in row
                differ = abs(direct[at] - lost[at].logits) >= 1.5
            assert row.endswith("≠") == differ
        assert it.selected.startswith("4")
        assert "Without “␣France”, the probability of “␣Paris” is" in it.screen
        await it.press("down")
        assert "The last token is never removed." in it.screen


async def test_occlusion_fills_in_and_stops_with_the_view(tmp_path: Path) -> None:
    async with xrayed(tmp_path) as it:
        it.engine.hold("occlusion", after=2)
        for key in to("tokens"):
            await it.pilot.press(key)
        await it.until(lambda: "removing single tokens: 2 of 4" in it.screen)
        await it.pilot.press("tab")
        await it.until(lambda: "occlusion" in it.engine.cancelled)
        assert it.shown_view == "heads"
        it.engine.release()
        await settled(it.pilot)
        assert it.rows


# --- all heads, and the lens over all positions --------------------------------------------------


async def test_the_contact_sheet_names_the_strongest_token_of_a_head(tmp_path: Path) -> None:
    session = await FakeEngine().open_text(PROMPT)
    xray = await session.xray(4, 0)
    async with xrayed(tmp_path, *["down"] * LAYERS, *["left"] * HEADS, *to("heads")) as it:
        for layer in range(2):
            weights = xray.weights(layer, layer)
            most = max(range(5), key=weights.__getitem__)
            name = split(PROMPT)[most].text.replace(" ", "␣")
            assert it.heading.startswith(f"layer  {layer + 1}  head  {layer + 1}  attends most")
            assert f"token {most + 1}, {name}: {100 * weights[most]:.1f} %" in it.heading
            await it.press("up", "right")
        await it.press("enter")
        assert it.heading.startswith("layer  3 of 4  head  3 of 3")


async def test_the_layers_of_the_contact_sheet_arrive_one_by_one(tmp_path: Path) -> None:
    """A long text has one layer in each response."""
    async with xrayed(tmp_path, "escape", "e") as it:
        from tutor.app.widgets.prompt_editor import PromptEditor

        it.stage.screen.query_one(PromptEditor).load("q" * 80)
        await it.press("enter", "x", *to("heads"))
        sheet = it.rows[1:]
        assert "(16 bars for 80 tokens)" in it.heading
        assert len(sheet) == LAYERS
        assert not any("…" in row for row in sheet)


async def test_the_lens_map_fills_in_around_the_position(tmp_path: Path) -> None:
    async with xrayed(tmp_path) as it:
        it.engine.hold("xray", after=2)
        for key in to("lens map"):
            await it.pilot.press(key)
        await it.until(lambda: it.shown_view == "lens map" and len(it.rows) > 1)
        await it.until(lambda: it.rows[1].count("…") == 2)
        await it.pilot.press("escape")
        await it.until(lambda: "xray" in it.engine.cancelled)
        it.engine.release()


async def test_the_lens_map_requests_no_more_attention_than_it_must(tmp_path: Path) -> None:
    """The map draws none, and in a long text, the attention of all layers is megabytes."""
    async with xrayed(tmp_path) as it:
        already = len(it.engine.attention_layers)
        await it.press(*to("lens map"))
        columns = it.engine.attention_layers[already:]
        assert len(columns) == len(split(PROMPT)) - 1
        assert set(columns) == {1}


async def test_arrows_walk_through_the_lens_map(tmp_path: Path) -> None:
    session = await FakeEngine().open_text(PROMPT)
    async with xrayed(tmp_path, *to("lens map")) as it:
        for at in (4, 3):
            row = (await session.xray(at, 0)).lens[LAYERS - 1]
            name = row.top.text.replace(" ", "␣")
            await it.press("up", "up", "up", "up", "down")
            assert it.heading.startswith(f"layer  {LAYERS - 1}  after")
            assert f"{name} {100 * row.top_probability:.1f} %" in it.heading
            await it.press("left")


def test_a_narrow_lens_map_shows_the_whole_probability() -> None:
    """The longest name gives way, and is not followed by half a number."""
    long = Token(1, " <filename>", b" <filename>")
    found: Any = SimpleNamespace(
        position=0, token=Token(2, " France", b" France"), lens={0: [LensRow(0, long, 0.999, 0.0)]}
    )
    tab = LensMapTab(ChosenHead())
    assert tab.heading(found, 38).plain == "layer  0  ␣<filename> 99.9 %"
    assert tab.heading(found, 24).plain == "layer  0  ␣<file… 99.9 %"
    assert tab.heading(found, 48).plain.startswith("layer  0  after ␣France  ␣<filename> 99.9 %")


async def test_what_the_lens_map_knows_is_not_asked_again(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("lens map")) as it:
        before = it.engine.calls.count("xray")
        await it.press("left", "left", "right")
        assert it.engine.calls.count("xray") == before


# --- keys that are faster than the model ---------------------------------------------------------


@pytest.mark.parametrize("keys", [("p", "p"), ("p", "n", "p", "p")])
async def test_the_last_of_several_positions_is_shown(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async with xrayed(tmp_path, *to("why")) as it:
        it.engine.hold("attribution")
        for key in keys:
            await it.pilot.press(key)
            await it.until(lambda: it.engine.calls[-1] == "attribution")
        it.engine.release()
        await settled(it.pilot)
        assert it.heading.startswith("why ␣France  after ␣of")


async def test_the_attention_of_the_last_of_several_positions_is_shown(tmp_path: Path) -> None:
    async with xrayed(tmp_path, "down") as it:
        it.engine.hold("xray")
        await it.pilot.press("p", "p")
        it.engine.release()
        await settled(it.pilot)
        assert len(it.rows) == 3
        assert "how much ␣of attends to" in it.heading


async def test_the_last_of_several_explained_tokens_is_shown(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why"), "slash", *"the") as it:
        it.engine.hold("attribution")
        await it.pilot.press("enter")
        await it.until(lambda: it.engine.calls[-1] == "attribution")
        await it.until(lambda: "z" in it.stage.screen.active_bindings)
        await it.pilot.press("z")
        it.engine.release()
        await settled(it.pilot)
        assert it.heading.startswith("why ␣Paris")
        assert any("= the logit of “␣Paris”" in row for row in it.rows)


# --- steering ------------------------------------------------------------------------------------


async def test_another_steering_has_another_xray(tmp_path: Path) -> None:
    write(folder_of_learner(), VECTOR)
    async with xrayed(tmp_path, *to("why"), "a", "down", "enter", size=(190, 44)) as it:
        before = it.engine.calls.count("attribution")
        it.stage.screen.query_one("ExplorerPane").focus()
        await it.press("t", "up", "left")
        assert "steered: kind" in it.screen
        assert it.engine.calls.count("attribution") == before + 1
        assert it.heading.startswith("why ␣Paris rather than")
        await it.press("right")
        assert it.engine.calls.count("attribution") == before + 2


async def test_a_map_never_mixes_two_networks(tmp_path: Path) -> None:
    write(folder_of_learner(), VECTOR)
    async with xrayed(tmp_path, *to("lens map"), size=(190, 44)) as it:
        before = it.engine.calls.count("xray")
        it.stage.screen.query_one("ExplorerPane").focus()
        await it.press("t", "up", "left")
        assert it.engine.calls.count("xray") == before + len(split(PROMPT))


async def test_the_xray_says_that_the_network_is_steered(tmp_path: Path) -> None:
    write(folder_of_learner(), msgspec.structs.replace(VECTOR, layer=2))
    said = "This contains the steering vector"
    async with xrayed(tmp_path, *to("why")) as it:
        while it.selected.split()[:3] != ["layer", "3", "feed-forward"]:
            await it.press("down")
        assert "steered" not in it.screen
        assert "reads no other tokens" in it.rows[-1]
        await it.press("escape", "t", "up", "left", "escape", "x")
        assert "token 5 of 5  steered: kind, layer 3, -0.25" in it.screen
        await it.press(*to("why"))
        while it.selected.split()[:3] != ["layer", "3", "feed-forward"]:
            assert said not in it.rows[-1]
            await it.press("down")
        assert said in it.rows[-1]


# --- failures ------------------------------------------------------------------------------------


async def test_after_a_failure_the_next_token_works(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why")) as it:
        it.engine.fail_with = EngineError("It went wrong.", "Try again.")
        await it.press("p")
        assert "It went wrong." in it.screen
        await it.press("p")
        assert "It went wrong." not in it.screen
        assert it.heading.startswith("why")


@pytest.mark.parametrize("keys", [("slash", *"the", "enter"), ("a", "escape"), ("tab",)])
async def test_after_a_failure_every_key_tries_again(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with xrayed(tmp_path, *to("why")) as it:
        it.engine.fail_with = EngineError("It went wrong.", "Try again.")
        await it.press("p", *keys)
        assert "It went wrong." not in it.screen
        name = "the" if "enter" in keys else "is"
        assert it.heading.startswith(f"why ␣{name}  after ␣France")


async def test_the_xray_of_a_single_token_is_tried_again(tmp_path: Path) -> None:
    async with xrayed(tmp_path, "escape", "e") as it:
        from tutor.app.widgets.prompt_editor import PromptEditor

        it.stage.screen.query_one(PromptEditor).load("The")
        await it.press("enter")
        it.engine.fail_with = EngineError("It went wrong.", "Try again.")
        await it.press("x")
        assert "It went wrong." in it.screen
        assert "computing" not in it.screen
        await it.press("p")
        assert "It went wrong." not in it.screen
        assert "layer" in it.heading


async def test_beside_the_text_a_failure_is_not_tried_again_without_a_key(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why"), size=(190, 44)) as it:
        it.engine.fail_with = EngineError("It went wrong.", "Try again.")
        before = it.engine.calls.count("attribution")
        await it.press("slash", *"the", "enter")
        assert "It went wrong." in it.screen
        assert it.engine.calls.count("attribution") == before + 1


async def test_a_request_that_was_cancelled_is_sent_again(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why")) as it:
        it.engine.fail_with = RequestCancelled("It was canceled.")
        await it.press("p")
        assert "canceled" not in it.screen
        await it.press("down")
        assert it.heading.startswith("why ␣is  after ␣France")


async def test_another_model_has_another_xray(tmp_path: Path) -> None:
    async with xrayed(tmp_path, size=(190, 44)) as it:
        before = it.engine.calls.count("xray")
        it.engine.card = msgspec.structs.replace(it.engine.card, sha256="e" * 64)
        await it.engine.restart()
        await settled(it.pilot)
        assert it.engine.calls.count("xray") > before


# --- findings ------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=300), st.integers(1, 20))
def test_a_strip_keeps_the_strongest_token(weights: list[float], width: int) -> None:
    strip = strip_of(weights)
    assert (weights[strip.top], strip.weight) == (max(weights), max(weights))
    assert len(strip.values) <= BINS
    short = squeezed(strip.values, width)
    assert len(short) <= width
    assert max(short) == max(weights)
    if len(weights) <= width:
        assert short == weights


def test_the_lens_of_a_common_start_is_kept() -> None:
    path = split(PROMPT)
    model = Network("model")
    first = Findings.at(path, 4, model)
    first.lens = dict.fromkeys(range(5), ())
    longer = Findings.at([*path, token(" Paris")], 5, model, before=first)
    assert sorted(longer.lens) == [0, 1, 2, 3, 4]
    other = Findings.at([*path[:2], token(" Paris")], 1, model, before=first)
    assert not Findings.at(path, 4, Network("other"), before=first).lens
    assert sorted(other.lens) == [0, 1]
    assert (first.target, other.target) == (None, token(" Paris").id)


@pytest.mark.parametrize(
    ("view", "x", "heading"),
    [
        ("map", 15, "layer  1  head 3"),
        ("heads", 20, "layer  1  head  3"),
        ("lens map", 9, "layer  1  after The"),
    ],
)
async def test_a_click_on_a_map_selects_the_cell(
    tmp_path: Path, view: str, x: int, heading: str
) -> None:
    async with xrayed(tmp_path, *to(view)) as it:
        await it.until(lambda: any("1 " in row[:8] for row in it.rows))
        *_others, row = (
            y for y, row in enumerate(it.rows) if row.removeprefix("›").split()[:1] == ["1"]
        )
        await it.pilot.click(it.view.query_one("#rows"), offset=(x, row))
        await it.until(lambda: heading in it.screen)


async def test_a_click_selects_a_row_of_the_ranked_list(tmp_path: Path) -> None:
    async with xrayed(tmp_path, *to("why")) as it:
        wanted = it.rows[3].strip()
        assert it.selected != wanted
        await it.pilot.click(it.view.query_one("#rows"), offset=(4, 3))
        assert it.selected == wanted


@pytest.mark.parametrize("size", [(80, 24), *later([(40, 12), (120, 40)])])
async def test_the_experts_of_each_layer(tmp_path: Path, size: tuple[int, int]) -> None:
    async with xrayed(tmp_path, engine=mixture(), size=size) as it:
        await it.until(lambda: len(it.rows) > 1)
        await it.press("shift+tab")  # the last view
        await it.until(lambda: it.shown_view == "experts")
        assert "2 of 8" in it.heading
        for layer, row in enumerate(it.rows[1 : LAYERS + 1], start=1):
            assert row.split()[:4] == [str(layer), str(layer), "62.5", "%"]
            assert "8 25.0 %" in row
            assert max(len(line) for line in it.rows) <= size[0]
        if size[0] >= 80:
            assert "shared 80.0 %" in it.rows[1]


async def test_a_model_without_experts_has_no_view_of_them(tmp_path: Path) -> None:
    async with xrayed(tmp_path) as it:
        await it.until(lambda: len(it.rows) > 1)
        assert "experts" not in it.screen
        await it.press("shift+tab")
        await it.until(lambda: it.shown_view == "lens map")
