"""Train probes on the labeled sentences, and add their directions to the residual stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.errors import LabError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import advanced, next_rows
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence_ids import single_tokens, tokens_of
from tutor.labs.probe import lab
from tutor.labs.probe.lab import (
    SETS,
    STRONGEST,
    Add,
    Answer,
    Classify,
    Name,
    Question,
    Train,
    TrainControl,
)
from tutor.labs.probe.sets import control_labels, examples
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.probing import ManyTexts, Probes, in_batches, train
from tutor.lm.language_model import LanguageModel

MOST_TOKENS = 32
"""The maximum number of tokens in the learner's sentence and prompt."""

_AT_ONCE = 96
"""The maximum number of tokens in one forward pass over several sentences."""
_LAYERS_AT_ONCE = 4
_SEED = 1
"""The seed of the random directions."""


class ProbedSet:
    """The residual streams of a set's sentences, and the probes that are trained on them.

    `advance` computes them step by step.
    """

    def __init__(self, model: LanguageModel, of: Name) -> None:
        self.of = of
        self.sentences = examples(of)
        self.held_out = torch.tensor([each.held_out for each in self.sentences])
        self.labels = torch.tensor([each.label for each in self.sentences])
        self._network = model.network
        self._layers = model.network.config.layers
        self._ids = [tokens_of(model, each.text, MOST_TOKENS)[0] for each in self.sentences]
        self._batches = in_batches([len(ids) for ids in self._ids], _AT_ONCE)
        self._batches_read = 0
        self._read: list[Tensor] = []
        self._running: ManyTexts | None = None
        self._trained: dict[int | None, list[Probes]] = {}
        self.vectors = torch.empty(0)
        """The residual stream at the last tokens: [layers + 1, sentences, width]."""

    def advance(self, seconds: float, seed: int | None = None) -> Progress | None:
        """Run the network or train probes for `seconds`. Return the progress, or None when done.

        With a `seed`, the probes are those of the control task.
        """
        until = time.perf_counter() + seconds
        while self._batches_read < len(self._batches):
            self._advance_pass(until - time.perf_counter())
            if time.perf_counter() >= until:
                return self._progress(seed)
        if not self.vectors.numel():
            self.vectors = torch.cat(self._read, dim=1)
            self._read.clear()
        while self._probes_left(seed):
            self._train_some(seed)
            if time.perf_counter() >= until and self._probes_left(seed):
                return self._progress(seed)
        return None

    def probes(self, seed: int | None = None) -> Probes:
        """Return the trained probes of all layers."""
        return Probes(*map(torch.cat, zip(*self._trained[seed], strict=True)))

    def right(self, probes: Probes, labels: Tensor, among: Tensor) -> tuple[int, ...]:
        """Return the number of sentences in the mask `among` that each layer's probe gets right."""
        said = probes.scores(self.vectors[:, among]) >= 0
        return tuple((said == labels[among]).sum(dim=1).tolist())

    def _advance_pass(self, seconds: float) -> None:
        if self._running is None:
            batch = self._batches[self._batches_read]
            self._running = ManyTexts(self._network, [self._ids[at] for at in batch])
        self._running.advance(seconds)
        if self._running.finished:
            self._read.append(self._running.last_vectors())
            self._batches_read += 1
            self._running = None

    def _probes_left(self, seed: int | None) -> int:
        """Return the number of layers without a probe."""
        done = sum(len(each.bias) for each in self._trained.get(seed, ()))
        return self._layers + 1 - done

    def _train_some(self, seed: int | None) -> None:
        done = self._layers + 1 - self._probes_left(seed)
        labels = self.labels if seed is None else torch.tensor(control_labels(self.of, seed))
        known = ~self.held_out
        vectors = self.vectors[done : done + _LAYERS_AT_ONCE, known]
        self._trained = {key: it for key, it in self._trained.items() if key in (None, seed)}
        self._trained.setdefault(seed, []).append(train(vectors, labels[known]))

    def _progress(self, seed: int | None) -> Progress:
        """Return the progress: the blocks that have run, plus the probes that have been trained."""
        running = self._running.done if self._running else 0
        blocks, probes = len(self._batches) * self._layers, self._layers + 1
        done = self._batches_read * self._layers + running + probes - self._probes_left(seed)
        return Progress(done, blocks + probes)


class Text(NamedTuple):
    """A text that the learner wrote, with its token ids and its forward pass.

    `left_out` is the number of tokens that were cut from the text.
    """

    text: str
    ids: Sequence[int]
    left_out: int
    passage: ForwardPass


class ProbeBackend:
    """The lab's backend. It caches the residual streams and probes of each set.

    It also caches the forward passes for the latest texts and the latest change.
    """

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._moment = tools.moment
        self._sets: dict[Name, ProbedSet] = {}
        self._texts: dict[type, Text] = {}
        self._changed: tuple[Add, list[ForwardPass]] | None = None

    def answer(self, question: Question) -> Answer:
        """Return the requested results, or the progress if they are unfinished.

        Raises `TextError` if the text is invalid, and `LabError` if there is no such layer or
        strength.
        """
        if isinstance(question, Add) and not (
            0 <= question.layer <= self._model.network.config.layers
            and abs(question.strength) <= STRONGEST
        ):
            raise LabError("This layer or strength is not available.", "Choose another one.")
        reading = self._sets.get(question.of)
        if reading is None:
            reading = self._sets[question.of] = ProbedSet(self._model, question.of)
        if (progress := reading.advance(self._moment)) is not None:
            return progress
        match question:
            case Train():
                return _trained(reading)
            case TrainControl(seed=seed):
                return _control(reading, seed, self._moment)
            case Classify():
                return self._judged(reading, question)
            case Add():
                return self._added(reading, question)

    def _text(self, question: Classify | Add) -> Text:
        """Return the question's text with its forward pass, from the cache if possible."""
        found = self._texts.get(type(question))
        if found is None or found.text != question.text:
            ids, left_out = tokens_of(self._model, question.text, MOST_TOKENS)
            passage = ForwardPass(self._model.network, ids)
            found = self._texts[type(question)] = Text(question.text, ids, left_out, passage)
        return found

    def _judged(self, reading: ProbedSet, question: Classify) -> Answer:
        text = self._text(question)
        if (progress := advanced([text.passage], self._moment)) is not None:
            return progress
        streams = text.passage.streams_at(-1)[:, None]  # [layers + 1, 1, width]
        scores = reading.probes().scores(streams)[:, 0]
        return lab.Classified(tuple(scores.sigmoid().tolist()), text.left_out)

    def _added(self, reading: ProbedSet, question: Add) -> Answer:
        text = self._text(question)
        if (progress := advanced([text.passage], self._moment)) is not None:
            return progress
        if self._changed is None or self._changed[0] != question:
            self._changed = question, self._with_added(reading, question, text)
        changed = self._changed[1]
        if (progress := advanced(changed, self._moment)) is not None:
            return progress
        return self._compared(question.of, [text.passage, *changed], text.left_out)

    def _with_added(self, reading: ProbedSet, question: Add, text: Text) -> list[ForwardPass]:
        """Return two forward passes over the text, with a vector added after `layer` blocks.

        The first pass adds the probe's direction, and the second a random direction of the same
        length. Both reuse the results of the unchanged pass up to `layer`.
        """
        layer, known = question.layer, ~reading.held_out
        vectors, labels = reading.vectors[layer, known], reading.labels[known]
        direction = reading.probes().direction(layer, vectors, labels)
        changed = []
        for vector in (direction, random_like(direction)):
            passage = ForwardPass(self._model.network, text.ids)
            passage.reuse(text.passage, layer)
            passage.add(question.strength * vector)
            changed.append(passage)
        return changed

    @torch.inference_mode()
    def _compared(self, of: Name, passes: Sequence[ForwardPass], left_out: int) -> lab.Added:
        streams = torch.stack([each.stream[-1] for each in passes])
        logs = self._model.network.lens(streams).cpu().log_softmax(dim=-1)  # [3, vocabulary]
        words = [single_tokens(self._model, each) for each in SETS[of].answers]
        before, after, chance = (
            lab.Answers(*(float(row[ids].exp().sum()) for ids in words)) for row in logs
        )
        rows = next_rows(self._model, logs[0], logs[1])
        return lab.Added(before, after, chance, rows, left_out)


def _trained(reading: ProbedSet) -> lab.Trained:
    probes, held_out = reading.probes(), reading.held_out
    probabilities = probes.scores(reading.vectors[:, held_out]).sigmoid()
    return lab.Trained(
        count=int((~held_out).sum()),
        fitted=reading.right(probes, reading.labels, ~held_out),
        held_out=tuple(
            lab.Sentence(each.text, each.label) for each in reading.sentences if each.held_out
        ),
        probabilities=tuple(map(tuple, probabilities.tolist())),
    )


def _control(reading: ProbedSet, seed: int, moment: float) -> lab.Control | Progress:
    if (progress := reading.advance(moment, seed)) is not None:
        return progress
    labels = torch.tensor(control_labels(reading.of, seed))
    return lab.Control(reading.right(reading.probes(seed), labels, reading.held_out))


def random_like(vector: Tensor) -> Tensor:
    """Return a random direction with the length of `vector` [width]. The seed is fixed."""
    drawn = torch.randn(len(vector), generator=torch.Generator().manual_seed(_SEED))
    return drawn * vector.norm() / drawn.norm()


make_backend = ProbeBackend
