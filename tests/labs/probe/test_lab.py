"""Test the lab on probes: its backend against autograd and the formula, its logic, its goals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from torch import Tensor

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import at_last, backend, done, settled, small_model
from tutor.errors import LabError, TextError
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, NewSeed, ShowView
from tutor.labs.kit.progress import Progress
from tutor.labs.probe import lab
from tutor.labs.probe.backend import ProbedSet, random_like
from tutor.labs.probe.lab import Add, Answers, Classify, Train, TrainControl
from tutor.labs.probe.sets import control_labels, examples
from tutor.lm.chat import text_ids
from tutor.lm.inspect.probing import PENALTY, ManyTexts
from tutor.lm.network import rotations

PROMPT = "The key near the cabinets"
LAYER = 4


@torch.inference_mode()
def last_vectors(text: str) -> Tensor:
    """Return the residual stream at a text's last token, by the formula: [layers + 1, width]."""
    return by_formula(text_ids(small_model(), text))[2][:, -1]


class Fitted:
    """A probe of one layer, trained with autograd and L-BFGS instead of our own method."""

    def __init__(self, layer: int, labels: Tensor) -> None:
        sentences = examples("number")
        self.x = torch.stack([last_vectors(each.text)[layer] for each in sentences]).double()
        self.known = torch.tensor([not each.held_out for each in sentences])
        x = self.x[self.known]
        self.mean = x.mean(dim=0)
        self.scale = (x - self.mean).square().mean().sqrt()
        self.weight = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
        self.bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        self._descend(x, labels[self.known].double())

    def _descend(self, x: Tensor, target: Tensor) -> None:
        descent = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=5000, max_eval=9000, tolerance_grad=1e-10,
            tolerance_change=1e-16, line_search_fn="strong_wolfe",
        )  # fmt: skip

        def loss() -> Tensor:
            descent.zero_grad()
            fit = F.binary_cross_entropy_with_logits(self.scores(x), target)
            found: Tensor = fit + PENALTY / 2 * self.weight.square().sum()
            found.backward()
            return found

        descent.step(loss)

    def scores(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.scale @ self.weight + self.bias


def labels_of(*, control: int | None = None) -> Tensor:
    if control is not None:
        return torch.tensor(control_labels("number", control))
    return torch.tensor([each.label for each in examples("number")])


@pytest.mark.slow
def test_probes_are_those_that_gradient_descent_finds(tmp_path: Path) -> None:
    """Probabilities agree to 0.002: vectors differ by the order of sums in 32-bit floats."""
    there = backend("probe", tmp_path)
    found: lab.Trained = at_last(there, Train("number"))
    fitted = Fitted(LAYER, labels_of())
    expected = fitted.scores(fitted.x[~fitted.known]).sigmoid().detach()
    assert found.probabilities[LAYER] == pytest.approx(expected.tolist(), abs=2e-3)
    right = (fitted.scores(fitted.x) > 0) == labels_of()
    assert found.fitted[LAYER] == int(right[fitted.known].sum())
    assert found.right(LAYER) == int(right[~fitted.known].sum())
    assert found.count == int(fitted.known.sum())
    texts = [each.text for each in examples("number") if each.held_out]
    assert [each.text for each in found.held_out] == texts
    judged = at_last(there, Classify("number", PROMPT))
    own = fitted.scores(last_vectors(PROMPT)[LAYER].double()).sigmoid()
    assert judged.probabilities[LAYER] == pytest.approx(own.item(), abs=2e-3)
    assert len(judged.probabilities) == found.layers == 7


def test_the_control_task_is_trained_on_random_labels(tmp_path: Path) -> None:
    found = at_last(backend("probe", tmp_path), TrainControl("number", 3))
    fitted = Fitted(LAYER, labels_of(control=3))
    right = (fitted.scores(fitted.x) > 0) == labels_of(control=3)
    assert found.right[LAYER] == int(right[~fitted.known].sum())


@torch.inference_mode()
def with_added(vector: Tensor) -> Tensor:
    """Return the next-token probabilities if a vector is added after `LAYER` blocks."""
    network, ids = small_model().network, text_ids(small_model(), PROMPT)
    stream = network.embedding(torch.tensor(ids))
    rotation = rotations(network.config, 0, len(ids))
    mask = torch.ones(len(ids), len(ids)).bool().tril()
    for at, block in enumerate(network.blocks):
        stream = block(stream + (vector if at == LAYER else 0), rotation, mask)
    return network.logits(network.norm(stream[-1])).softmax(dim=-1)


def test_the_direction_is_added_at_every_token(tmp_path: Path) -> None:
    found: lab.Added = at_last(backend("probe", tmp_path), Add("number", PROMPT, LAYER, 2.0))
    fitted = Fitted(LAYER, labels_of())
    known, labels = fitted.x[fitted.known], labels_of()[fitted.known]
    unit = fitted.weight.detach() / fitted.weight.detach().norm()
    apart = (known[labels].mean(dim=0) - known[~labels].mean(dim=0)) @ unit
    vector = (apart * unit).float()
    for answers, strength, added in (
        (found.before, 0.0, vector),
        (found.after, 2.0, vector),
        (found.chance, 2.0, random_like(vector)),
    ):
        expected = with_added(strength * added)
        for value, words in zip((answers.first, answers.second), _words(), strict=True):
            assert value == pytest.approx(sum(float(expected[id_]) for id_ in words), abs=1e-3)
        for row in found.rows:
            if strength and answers is found.after:
                assert row.after == pytest.approx(float(expected[row.token.id]), abs=1e-3)
    assert abs(found.after.first - found.before.first) > 0.01  # far more than the tolerance


def _words() -> list[list[int]]:
    encode = small_model().tokenizer.encode
    ids = [[encode(f" {word}") for word in words] for words in lab.SETS["number"].answers]
    return [[each[0] for each in words if len(each) == 1] for words in ids]


@pytest.mark.slow
def test_progress_is_reported_and_the_answers_do_not_depend_on_the_pace(tmp_path: Path) -> None:
    questions = (
        Train("number"),
        TrainControl("number", 0),
        Classify("number", PROMPT),
        Add("number", PROMPT, 3, 1.0),
    )
    slow, quick = backend("probe", tmp_path, moment=0.0), backend("probe", tmp_path, moment=1e9)
    steps: list[Progress] = []
    while isinstance(answer := slow.answer(questions[0]), Progress):
        steps.append(answer)
    assert len(steps) > 10
    assert [each.done for each in steps] == sorted({each.done for each in steps})
    assert all(0 < each.done < each.total for each in steps)
    for asked in questions:
        expected = at_last(quick, asked)
        assert at_last(slow, asked) == expected
        assert at_last(backend("probe", tmp_path), asked) == expected


@pytest.mark.parametrize(
    ("layer", "strength"), [(-1, 1.0), (99, 1.0), (3, lab.STRONGEST + 1), (3, math.nan)]
)
def test_a_change_that_the_lab_does_not_offer_is_refused(
    tmp_path: Path, layer: int, strength: float
) -> None:
    there = backend("probe", tmp_path, moment=math.inf)
    with pytest.raises(LabError, match="is not available"):
        at_last(there, Add("number", PROMPT, layer, strength))


def test_the_residual_streams_are_kept_only_once(tmp_path: Path) -> None:
    reading = ProbedSet(small_model(), "number")
    while reading.advance(math.inf) is not None:
        pass
    kept = {
        id(each)
        for value in vars(reading).values()
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, torch.Tensor) and each.is_floating_point()
    }
    assert kept == {id(reading.vectors)}


def test_a_set_that_was_read_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = backend("probe", tmp_path, moment=math.inf)
    first = at_last(there, Train("number"))
    at_last(there, TrainControl("number", 3))
    at_last(there, Train("truth"))
    read: list[object] = []
    monkeypatch.setattr(ManyTexts, "advance", lambda *given: read.append(given))
    assert there.answer(Train("number")) == first
    assert there.answer(TrainControl("number", 3)).right
    assert not read


def test_a_long_sentence_is_cut_and_an_empty_one_refused(tmp_path: Path) -> None:
    judged = at_last(backend("probe", tmp_path), Classify("sentiment", "the cat " * 30))
    assert judged.left_out > 0
    for field in ("", "prompt"):
        with pytest.raises(TextError):
            lab.act(lab.State(), EditText(" ", field))


SENTENCES = tuple(lab.Sentence(str(at), at % 2 == 0) for at in range(100))


def trained(*right: int) -> lab.Trained:
    """Return probes that get this many of 100 held-out sentences right, one for each layer."""
    rows = (
        tuple(0.9 if each.label == (at < count) else 0.1 for at, each in enumerate(SENTENCES))
        for count in right
    )
    return lab.Trained(70, (70,) * len(right), SENTENCES, tuple(rows))


def ready(*right: int, layer: int = 1, of: lab.Name = "number", **fields: Any) -> lab.State:
    return lab.State(
        of=of, layer=layer, layers=len(right), trained=trained(*right), **fields
    )  # fmt: skip


def test_counts_follow_from_the_probabilities() -> None:
    found = trained(50, 93)
    assert (found.right(0), found.right(1), found.accuracy(1)) == (50, 93, 0.93)
    assert [at for at in range(100) if found.wrong(1, at)] == list(range(93, 100))
    state = ready(50, 93, control=lab.Control((40, 60)))
    assert state.selectivity == pytest.approx(0.33)
    assert replace(state, control=None).selectivity is None


def test_another_set_drops_the_results_and_keeps_the_texts() -> None:
    state = lab.act(ready(50, 93, control=lab.Control((1, 2))), EditText("The keys"))
    state = lab.act(lab.act(state, EditText("The dogs", "prompt")), Choose(1, "set"))
    assert (state.of, state.sentence, state.prompt) == (
        "sentiment",
        "",
        lab.SETS["sentiment"].prompt,
    )
    assert state.trained is None
    assert state.control is None
    assert lab.question(state) == Train("sentiment")
    assert lab.act(state, MoveFocus(-9, "layer")).layer == 0  # known from the previous set
    back = lab.act(state, Choose(-1, "set"))
    assert (back.sentence, back.prompt) == ("The keys", "The dogs")


def test_moving_between_layers_asks_nothing_but_the_effect_of_a_direction() -> None:
    state = ready(50, 93, view="examples", own=("", "", "The keys"))
    moved = lab.act(state, MoveFocus(-1, "layer"))
    assert lab.question(state) == lab.question(moved) == Classify("number", "The keys")
    there = replace(state, view="causality")
    assert lab.question(there) == Add("number", PROMPT, 1, 0.0)
    assert lab.question(lab.act(there, Adjust(3, "strength"))) == Add("number", PROMPT, 1, 1.5)


def test_n_and_p_go_to_wrong_answers() -> None:
    state = ready(50, 97)
    found = [state]
    for by in (1, 1, 1, 1, -1, -1, -1):
        found.append(lab.act(found[-1], MoveFocus(by, "error")))
    assert [each.row for each in found] == [0, 97, 98, 99, 99, 98, 97, 97]


def test_new_labels_train_only_the_control_task() -> None:
    state = lab.act(ready(50, 93, control=lab.Control((1, 2))), NewSeed())
    assert state.trained is not None
    assert lab.question(state) == TrainControl("number", 1)


@given(st.lists(st.integers(-20, 20)))
def test_strength_stays_within_its_limits_in_half_steps(steps: list[int]) -> None:
    state = lab.State()
    for by in steps:
        state = lab.act(state, Adjust(by, "strength"))
        assert abs(state.strength) <= lab.STRONGEST
        assert state.strength % lab.STEP == 0


def test_work_and_results_are_restored(tmp_path: Path) -> None:
    there = backend("probe", tmp_path)
    actions = (Choose(-1, "set"), MoveFocus(-2, "layer"), EditText("The dogs", "prompt"))
    state = done("probe", there, *actions, Adjust(-3, "strength"))
    saved = lab.LAB.saved(state, "model")
    again, model = lab.LAB.resumed(saved)
    assert model == "model"
    assert (again.trained, again.control) == (state.trained, state.control)
    assert settled(lab.LAB, again, there) == replace(state, added=again.added | _last(state))


def _last(state: lab.State) -> dict[tuple[int, float], lab.Added]:
    """Return the effect that is shown; the effects of other strengths are not asked for again."""
    key = (state.layer, state.strength)
    return {key: state.added[key]}


@pytest.mark.parametrize(
    "damage",
    [{"strength": 1e9}, {"own": ["x" * 5000, "", ""]}, {"of": "color"}, {"layer": -7}],
    ids=str,
)
def test_damaged_work_is_ignored(damage: dict[str, Any]) -> None:
    assert lab.LAB.restored(msgspec.json.encode(damage)) == lab.State()


def test_results_that_do_not_fit_are_ignored() -> None:
    state = ready(50, 93, control=lab.Control((1, 2)))
    assert lab.LAB.resumed(lab.LAB.saved(state, "model"))[0] == state
    for wrong in (
        replace(state, control=lab.Control((1,))),
        replace(state, layers=5),
        replace(state, row=100),
        replace(state, layer=2),
        replace(state, trained=replace(trained(50, 93), fitted=(1,))),
        replace(state, trained=replace(trained(50, 93), probabilities=((0.5,), (0.5,)))),
    ):
        assert lab.LAB.resumed(lab.LAB.saved(wrong, "model"))[0].trained is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"control": lab.Control((10**6, 10**6))},
        {"control": lab.Control((50, -1))},
        {"trained": replace(trained(50, 93), count=0)},
        {"trained": replace(trained(50, 93), fitted=(71, 70))},
        {"trained": replace(trained(50, 93), fitted=(-1, 70))},
        {"trained": replace(trained(50, 93), probabilities=((1.5,) * 100, (0.5,) * 100))},
        {"trained": replace(trained(50, 93), probabilities=((-1e300,) * 100, (0.5,) * 100))},
        {"row": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_impossible_results_are_ignored(wrong: dict[str, Any]) -> None:
    state = replace(ready(50, 93, control=lab.Control((1, 2))), **wrong)
    assert lab.LAB.resumed(lab.LAB.saved(state, "model"))[0].trained is None


def test_z_resets_settings_and_keeps_texts() -> None:
    state = ready(50, 60, 93, own=("", "", "The dogs"), seed=2, strength=1.0, row=5)
    new = lab.reset(state)
    assert new is not None
    assert (new.layer, new.row, new.seed, new.strength) == (2, 0, 0, 0.0)
    assert new.sentence == "The dogs"
    assert lab.reset(new) is None


def test_a_selective_layer_is_85_percent_right_and_20_points_above_the_control() -> None:
    def reached(right: int, control: int, of: lab.Name = "sentiment") -> bool:
        state = ready(50, right, of=of, control=lab.Control((50, control)))
        return "selective" in lab.LAB.reached(state)

    assert reached(85, 65)
    assert not reached(84, 50)
    assert not reached(90, 71)
    assert not reached(90, 50, "truth")


def test_a_set_can_be_at_chance_in_the_embeddings_and_readable_later() -> None:
    def reached(first: int, later: int) -> bool:
        return "not-in-embeddings" in lab.LAB.reached(ready(first, later))

    assert reached(50, 90)
    assert reached(59, 90)
    assert not reached(60, 90)  # The interval begins above 50 %.
    assert not reached(50, 80)  # The interval begins below 75 %.


def test_a_later_layer_contradicts_the_embedding() -> None:
    def reached(first: float, later: float, of: lab.Name = "sentiment") -> bool:
        return "negation" in lab.LAB.reached(
            ready(90, 90, of=of, judged=lab.Classified((first, later), 0))
        )

    assert reached(0.8, 0.2)
    assert not reached(0.79, 0.2)
    assert not reached(0.8, 0.3)
    assert not reached(0.9, 0.2, "number")


def effect(
    before: float,
    after: float,
    strength: float,
    *,
    chance: float = 0.1,
    right: int = 93,
    left: float = 1.0,
) -> frozenset[str]:
    """Return the goals about causality that are reached, given shares of the first answer.

    `left` is the probability of both answers after the direction is added.
    """
    shares = [Answers(each, 1 - each) for each in (before, after, chance)]
    shares[1] = Answers(left * after, left * (1 - after))
    first, second, third = shares
    found = lab.Added(first, second, third, (), 0)
    state = ready(50, right, strength=strength, added={(1, strength): found})
    return lab.LAB.reached(state) & {"used", "not-used"}


def test_a_direction_is_not_used_if_it_is_readable_and_does_not_move_the_answer() -> None:
    assert effect(0.1, 0.12, 3.0) == {"not-used"}
    assert effect(0.9, 0.88, -3.0) == {"not-used"}
    assert effect(0.9, 0.92, 3.0) == set()  # It pushes toward the answer.
    assert effect(0.1, 0.12, 2.5) == set()
    assert effect(0.1, 0.16, 3.0) == set()
    assert effect(0.3, 0.31, 3.0) == set()  # The answer is not clear.
    assert effect(0.1, 0.12, 3.0, right=80) == set()
    assert effect(0.1, 0.12, 3.0, left=0.5) == set()  # The text falls apart.
    assert effect(0.9, 0.97, -3.0) == set()  # The ratio of the answers changes by 7 points.
    assert "less than 5 points" in says("not-used")


def test_a_direction_is_used_if_it_reverses_the_answer_but_a_random_one_does_not() -> None:
    assert effect(0.1, 0.8, 1.0) == {"used"}
    assert effect(0.9, 0.2, -1.0, chance=0.8) == {"used"}
    assert effect(0.1, 0.8, 1.5) == set()
    assert effect(0.1, 0.7, 1.0) == set()
    assert effect(0.1, 0.8, 1.0, chance=0.5) == set()
    assert "from over 75 % to under 25 %" in says("used")


def says(name: str) -> str:
    found = lab.LAB.goal(name)
    assert found is not None
    return found.says


@pytest.mark.parametrize(("before", "kept"), [(Answers(0.6, 0.2), 0.25), (Answers(0.1, 0.3), 0.75)])
def test_the_answer_is_the_one_that_is_more_probable_without_a_change(
    before: Answers, kept: float
) -> None:
    after = Answers(0.2, 0.6)
    assert lab.Added(before, after, after, (), 0).kept(after) == pytest.approx(kept)


def test_no_answer_of_a_slow_view_is_lost(tmp_path: Path) -> None:
    state = done("probe", backend("probe", tmp_path), ShowView("causality"))
    assert state.trained is not None
    assert state.control is not None
    assert state.shown is not None
    assert state.shown.before == state.shown.after == state.shown.chance
