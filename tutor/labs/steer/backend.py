"""Make steering vectors, and measure what they do."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from tutor.errors import ModelError, TextError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import advanced, log_probabilities, longer, next_rows
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence_ids import single_tokens, tokens_of
from tutor.labs.steer import questions
from tutor.labs.steer.pairs import NEUTRAL, Lists, Words, checked
from tutor.labs.steer.questions import BASE, Answer, Effect, Entry, GridPoint, Question, at
from tutor.lm import draw, saved_steering
from tutor.lm.chat import text_ids
from tutor.lm.divergence import divergence
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.interventions import next_token_surprisals
from tutor.lm.inspect.steering import Steering, mean_difference, steered_by
from tutor.lm.language_model import LanguageModel
from tutor.lm.saved_steering import SavedVector, checked_name, packed
from tutor.lm.session import Session
from tutor.text import one_line

MOST_TOKENS = 48
"""The maximum number of tokens in the prompt or in a sentence."""
_KEPT_SENTENCES = 200
_KEPT_PASSES = 6
"""The maximum number of forward passes in the cache."""

Ids = tuple[int, ...]
"""The token ids of a text."""


class SteerBackend:
    """The lab's backend.

    It caches the residual streams of the sentences, the latest forward passes, and the session of
    the latest continuation.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._folder: Path = tools.folder / saved_steering.FOLDER
        self._streams: OrderedDict[str, Tensor] = OrderedDict()
        self._passes: OrderedDict[tuple[Lists | None, Ids, GridPoint], ForwardPass] = OrderedDict()
        self._session: tuple[object, Session] | None = None

    @property
    def _model(self) -> LanguageModel:
        return self._tools.model  # Requests about files must not load the model.

    def answer(self, question: Question) -> Answer:
        """Return the requested result, or the progress if it is unfinished.

        Raises `TextError` if a text or a list is invalid.
        """
        if not isinstance(question, questions.AboutFiles):
            checked(question.lists.first)
            checked(question.lists.second)
        match question:
            case questions.Save(vector=vector):
                return self._saved(partial(saved_steering.write, self._folder, vector))
            case questions.Delete(name=name):
                return self._saved(partial(saved_steering.delete, self._folder, name))
            case questions.Restore(names=names):
                return self._saved(partial(saved_steering.restore, self._folder, names))
            case questions.ListSaved():
                return self._saved()
            case questions.Make(lists):
                return self._progress_of(lists) or self._made(question)
            case questions.Write(lists, _, spot):
                needs = self._progress_of(lists) if spot.dial else None
                return needs or self._written(question)
            case questions.Cost(lists, spot):
                context = self._model.network.config.context
                ids = tuple(text_ids(self._model, NEUTRAL)[:context])
                return self._run(lists, ids, spot) or self._price(lists, ids, spot)
            case questions.Measure(lists, text, words, spot):
                ids = self._ids(text)
                busy = self._run(lists, ids, spot)
                return busy or questions.Measured(self._effect(lists, ids, words, spot))
            case questions.Next(lists, text, _, spot):
                ids = self._ids(text)
                busy = self._progress_of(lists) or self._run(lists, ids, spot)
                return busy or self._compared(question, ids)

    def _progress_of(self, lists: Lists) -> Progress | None:
        """Process the sentences for one time slice. Return the progress, or None when done."""
        until = time.perf_counter() + self._tools.moment
        texts = tuple(dict.fromkeys((*lists.first, *lists.second)))
        for done, text in enumerate(texts):
            if text in self._streams:
                self._streams.move_to_end(text)
                continue
            passage = self._pass(None, self._ids(text), BASE)
            while not passage.finished:
                passage.advance(until - time.perf_counter())
                if time.perf_counter() >= until:
                    blocks = passage.blocks
                    return Progress(done * blocks + passage.done, len(texts) * blocks)
            self._streams[text] = passage.streams_at(-1)[1:]
        while len(self._streams) > max(_KEPT_SENTENCES, len(texts)):
            self._streams.popitem(last=False)
        return None

    def _vector(self, lists: Lists, layer: int) -> Tensor:
        """Return the steering vector [width] of a layer. All sentences must have been processed."""
        first, second = (
            [self._streams[text][layer] for text in texts] for texts in (lists.first, lists.second)
        )
        return mean_difference(first, second)

    def _steering(self, lists: Lists, spot: GridPoint) -> Steering:
        return Steering(self._vector(lists, spot.layer), spot.layer, spot.strength)

    def _made(self, question: questions.Make) -> questions.Made:
        card, lists = self._model.card, question.lists
        vector = SavedVector(
            name=checked_name(question.name),
            model=card.sha256,
            model_name=one_line(card.name)[: saved_steering.LONGEST_MODEL],
            layer=question.layer,
            first=lists.first,
            second=lists.second,
            values=packed(self._vector(lists, question.layer).tolist()),
        )
        return questions.Made(vector)

    def _saved(self, change: Callable[[], object] = lambda: None) -> questions.Entries:
        """Change the files. Return the saved vectors and, if the change failed, the reason."""
        failed = ""
        try:
            change()
        except (ModelError, TextError) as error:
            failed = f"{error.happened} {error.next_step}"
        entries = tuple(
            Entry(each.name, each.model_name, each.layer, each.first[0], each.second[0])
            for each in saved_steering.saved(self._folder)
        )
        return questions.Entries(entries, failed)

    def _ids(self, text: str) -> Ids:
        return tuple(tokens_of(self._model, text, MOST_TOKENS)[0])

    def _pass(self, lists: Lists | None, ids: Ids, spot: GridPoint) -> ForwardPass:
        """Return the forward pass over a text from the cache, or a new one.

        The pass is steered unless the strength is 0. To steer it, all sentences of `lists` must
        have been processed.
        """
        key = (lists if spot.dial else None, ids, at(spot.layer, spot.dial))
        if key not in self._passes:
            network = self._model.network
            if spot.dial:
                steering = self._steering(cast("Lists", lists), spot)
                passage = ForwardPass(network, ids, partial(steered_by, steering, network))
                plain = self._passes.get((None, ids, BASE))
                if plain is not None and plain.finished:
                    passage.reuse(plain, spot.layer)
            else:
                passage = ForwardPass(network, ids)
            self._passes[key] = passage
        self._passes.move_to_end(key)
        while len(self._passes) > _KEPT_PASSES:
            self._passes.popitem(last=False)
        return self._passes[key]

    def _run(self, lists: Lists, ids: Ids, spot: GridPoint) -> Progress | None:
        """Continue two passes over a text, without and with steering, for one time slice.

        If necessary, the sentences of `lists` are processed first. Returns the progress, or None if
        both passes are complete.
        """
        if spot.dial and (progress := self._progress_of(lists)) is not None:
            return progress
        plain = self._pass(None, ids, BASE)
        if (progress := advanced([plain], self._tools.moment)) is not None:
            return progress
        return advanced([self._pass(lists, ids, spot)], self._tools.moment)

    def _final(self, lists: Lists, ids: Ids, spot: GridPoint) -> Tensor:
        """Return the log-probabilities [V] of the next token after a text."""
        with torch.inference_mode():
            stream = self._pass(lists, ids, spot).stream[-1]
            return self._model.network.lens(stream).float().cpu().log_softmax(dim=-1)

    def _price(self, lists: Lists, ids: Ids, spot: GridPoint) -> questions.Perplexity:
        stream = self._pass(lists, ids, spot).stream
        bits = next_token_surprisals(self._model.network, stream, ids)
        return questions.Perplexity(2.0 ** float(bits.mean()))

    def _effect(self, lists: Lists, ids: Ids, words: Words, spot: GridPoint) -> Effect:
        before, after = (self._final(lists, ids, each) for each in (BASE, spot))
        first, second = (
            float(after[single_tokens(self._model, each)].exp().sum())
            for each in (words.first, words.second)
        )
        return Effect(first, second, divergence(before, after))

    def _compared(self, question: questions.Next, ids: Ids) -> questions.Compared:
        lists, words, spot = question.lists, question.words, question.spot
        vector = self._vector(lists, spot.layer)
        streams = [self._streams[text][spot.layer] for text in (*lists.first, *lists.second)]
        before, after = (self._final(lists, ids, each) for each in (BASE, spot))
        return questions.Compared(
            layers=self._model.network.config.layers,
            left_out=tokens_of(self._model, question.text, MOST_TOKENS)[1],
            rows=next_rows(self._model, before, after),
            before=self._effect(lists, ids, words, BASE),
            after=self._effect(lists, ids, words, spot),
            known=(
                len(single_tokens(self._model, words.first)),
                len(single_tokens(self._model, words.second)),
            ),
            length=float(vector.norm()),
            stream=float(torch.stack(streams).norm(dim=-1).mean()),
        )

    def _written(self, question: questions.Write) -> questions.Written:
        """Extend a continuation until the time slice is over, by at least one token."""
        until = time.perf_counter() + self._tools.moment
        reply, prompt = question.reply, self._ids(question.text)
        session = self._session_for(question, (*prompt, *reply.ids))
        while not reply.done:
            logs = log_probabilities(session.logits(len(session)))
            if question.seed is None:
                id_ = int(logs.argmax())
            else:
                id_ = draw.first(logs.exp().numpy(), question.seed, len(session))
            reply = longer(self._model, reply, id_, float(logs[id_]))
            session.append([id_])
            if time.perf_counter() >= until:
                break
        return questions.Written(reply)

    def _session_for(self, question: questions.Write, ids: Ids) -> Session:
        """Return a session with these tokens, steered as the question requests."""
        spot = question.spot
        key = (question.lists, spot) if spot.dial else None
        if self._session is None or self._session[0] != key:
            steering = self._steering(question.lists, spot) if spot.dial else None
            check = self._tools.check_cancelled
            session = Session(self._model, ids, check_cancelled=check, steering=steering)
            self._session = (key, session)
        session = self._session[1]
        session.replace(ids)
        return session


make_backend = SteerBackend
