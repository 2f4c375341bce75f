"""Explain a logit by the network's parts, by the text's tokens, and by removing tokens."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from tutor.errors import TextError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.labs.why import lab
from tutor.labs.why.lab import MOST_TOKENS, Answer, Question
from tutor.lm.inspect import attribution
from tutor.lm.network import Trace
from tutor.lm.session import Session

_TOP = 20
"""The number of most probable next tokens in the table."""


class WhyBackend(ModelBackend):
    """The lab's backend. It caches the text's session, and the results for the heads so far."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._asked: lab.Sources | None = None
        self._sources: list[attribution.HeadSources] = []

    def answer(self, question: Question) -> Answer:
        """Return the requested result, or the progress if not all heads are done.

        Raises `TextError` if the text is invalid.
        """
        ids, left_out = tokens_of(self._model, question.text, MOST_TOKENS)
        session, last = self._read(ids), len(ids) - 1
        match question:
            case lab.Next(words=words, ids=chosen):
                return self._candidates(session, left_out, words, chosen)
            case lab.Split(target=target, against=against):
                return lab.Contributions(session.attribution(last, target, against))
            case lab.Sources():
                return self._head_sources(session, question)
            case lab.Remove(index=index, target=target, against=against):
                (found,) = session.occlusion(last, (index,), target, against)
                return lab.Removed(found)

    def _candidates(
        self, session: Session, left_out: int, words: Sequence[str], chosen: Sequence[int]
    ) -> lab.Candidates:
        logits = session.logits(len(session)).float()
        probabilities = logits.softmax(dim=-1)
        of_words = tuple(self._token(word) for word in words)
        known = [id_ for id_ in (*of_words, *chosen) if 0 <= id_ < len(logits)]
        top = logits.topk(min(_TOP, len(logits))).indices.tolist()
        ids = sorted({*top, *known}, key=lambda id_: (-float(logits[id_]), id_))
        config, stream = self._model.network.config, self._last_stream(session)
        return lab.Candidates(
            tokens=session.tokens,
            left_out=left_out,
            layers=config.layers,
            heads=config.heads,
            rows=tuple(
                lab.Candidate(
                    self._model.tokenizer.token(id_),
                    float(probabilities[id_]),
                    attribution.explained_logit(self._model.network, stream, id_),
                )
                for id_ in ids
            ),
            words=of_words,
        )

    @torch.inference_mode()
    def _last_stream(self, session: Session) -> Tensor:
        """Return the residual stream [width] after the last block, at the last token.

        It is computed as in `attribution.attribute`, so that both give exactly the same logits.
        """
        trace, last = Trace(), len(session) - 1
        with session.before(last) as before:
            self._model.network(torch.tensor([session.ids[last]]), before, trace)
        return trace.residuals[-1][0].float()

    def _token(self, word: str) -> int:
        """Return the token of a word, which learners usually type without the leading space.

        If no single token spells the word, return its first token. Raises `TextError` if there is
        none.
        """
        encode = self._model.tokenizer.encode
        spellings = [encode(word)] if word.startswith(" ") else [encode(" " + word), encode(word)]
        single = [ids for ids in spellings if len(ids) == 1]
        found = next(iter(single), spellings[0])
        if not found:
            raise TextError(f"The vocabulary has no token for {word!r}.", "Write another word.")
        return found[0]

    def _head_sources(self, session: Session, question: lab.Sources) -> lab.HeadSources | Progress:
        """Continue with the next heads for one time slice. Return the results, or the progress."""
        if self._asked != question:
            self._asked, self._sources = question, []
        config = self._model.network.config
        heads = [(layer, head) for layer in range(config.layers) for head in range(config.heads)]
        last, until = len(session) - 1, 0.0
        with session.before(last) as before:
            for each in attribution.from_tokens(
                self._model,
                before,
                session.ids[last],
                heads[len(self._sources) :],
                question.target,
                question.against,
            ):
                self._sources.append(each)
                # The time slice starts after the forward pass and the first head. Otherwise, a slow
                # machine would complete only one head per request.
                until = until or time.perf_counter() + self._moment
                if time.perf_counter() >= until:
                    break
        if len(self._sources) < len(heads):
            return Progress(len(self._sources), len(heads))
        attention = torch.stack([each.attention for each in self._sources])
        logits = torch.stack([each.logits for each in self._sources])
        return lab.HeadSources(attention.numpy().tobytes(), logits.numpy().tobytes())


make_backend = WhyBackend
