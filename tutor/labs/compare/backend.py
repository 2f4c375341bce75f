"""Send the same prompt to several models.

Local models generate their answers token by token. Remote models stream their answers.
"""

from __future__ import annotations

import time
from functools import cached_property

import torch
from msgspec.structs import replace

from tutor.errors import ModelError, RemoteError, TutorError
from tutor.labs.compare import lab
from tutor.labs.compare.lab import Answer, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.other_models.small_model import small_model_beside
from tutor.lm import draw
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import ChatMessage, SamplerSettings
from tutor.lm.language_model import LanguageModel
from tutor.lm.sampling import ranked
from tutor.lm.session import Session
from tutor.vendors.runs import ErrorReport
from tutor.vendors.service import RemoteRequest

PATIENCE = 0.05
"""The interval between checks for new text if only remote models are running, in seconds. The
engine can process other requests during the interval."""


class CompareBackend:
    """The lab's backend. It has a session for each local model of the current run."""

    def __init__(self, tools: Tools) -> None:
        self._loaded = tools.model
        self._check_cancelled = tools.check_cancelled
        self._moment = tools.moment
        self._remote = tools.remote
        self._run = 0
        self._sessions: dict[int, Session] = {}

    def answer(self, question: Question) -> Answer:
        match question:
            case lab.Which():
                small = self._small.card.name if self._small else ""
                return lab.Offers(self._loaded.card.name, small, self._remote.offers())
            case lab.Stop(run=run, places=places):
                for place in places:
                    self._remote.cancel(_name(run, place))
                return lab.Stopped()
            case lab.Go():
                return lab.Replies(self._advance(question))

    def _advance(self, question: lab.Go) -> dict[int, lab.Reply]:
        """Extend the incomplete replies for one time slice, and return them.

        Only one local model generates in a time slice: the one with the least computing time so
        far. Remote replies are extended with the text that has arrived.
        """
        if question.run != self._run:
            # Never reuse a key-value cache in another run.
            self._run, self._sessions = question.run, {}
        replies = {
            place: self._collect(question, place, model, reply)
            for place, model, reply in question.asked
            if model.remote is not None
        }
        here = [entry for entry in question.asked if entry[1].here is not None]
        if here:
            place, model, reply = min(here, key=lambda entry: entry[2].seconds)
            replies[place] = self._generate(question, place, model, reply)
        elif all(replies[place].pieces == reply.pieces for place, _, reply in question.asked):
            time.sleep(PATIENCE)
        return replies

    def _generate(
        self, question: lab.Go, place: int, model: lab.Model, reply: lab.Reply
    ) -> lab.Reply:
        language_model = self._loaded if model.here == "loaded" else self._small
        if language_model is None:
            return _failed(
                reply, ModelError("The small bundled model is missing.", "Use another model.")
            )
        begun = time.perf_counter()
        try:
            prompt = _prompt(language_model, question.prompt)
            session = self._session(place, language_model, (*prompt, *reply.ids))
            ended = False
            first = reply.first_after
            ids = list(reply.ids)
            while not ended and len(ids) < lab.MOST_TOKENS:
                id_ = self._next(session, question)
                now = reply.seconds + time.perf_counter() - begun
                first = now if first is None else first
                ended = id_ in language_model.tokenizer.end_ids
                if not ended:
                    ids.append(id_)
                    session.append([id_])
                if time.perf_counter() - begun >= self._moment:
                    break
                self._check_cancelled()
        except TutorError as error:
            return _failed(reply, error)
        over = "stop" if ended else "length" if len(ids) >= lab.MOST_TOKENS else None
        text = language_model.tokenizer.decode(ids)
        return replace(
            reply,
            name=language_model.card.name,
            begun=True,
            text=text.decode("utf-8", "replace" if over else "ignore"),
            ids=tuple(ids),
            first_after=first,
            seconds=reply.seconds + time.perf_counter() - begun,
            prompt_tokens=len(prompt),
            answer_tokens=len(ids),
            reason=over,
        )

    def _next(self, session: Session, question: lab.Go) -> int:
        logits = session.logits(len(session)).float()
        if question.temperature == 0:
            return int(ranked(logits, 1))
        shares = torch.softmax(logits / question.temperature, dim=-1).numpy()
        return draw.first(shares, question.run, len(session))

    def _session(self, place: int, model: LanguageModel, ids: tuple[int, ...]) -> Session:
        session = self._sessions.get(place)
        if session is None:
            session = Session(model, ids, check_cancelled=self._check_cancelled)
            self._sessions[place] = session
        else:
            session.replace(ids)
        return session

    @cached_property
    def _small(self) -> LanguageModel | None:
        return small_model_beside(self._loaded)

    def _collect(
        self, question: lab.Go, place: int, model: lab.Model, reply: lab.Reply
    ) -> lab.Reply:
        """Return a remote reply with the text that has arrived.

        The first call sends the request.
        """
        assert model.remote is not None
        name = _name(question.run, place)
        try:
            if not reply.begun:
                self._remote.start(name, model.remote, _request(question))
            progress = self._remote.look(name, reply.pieces)
        except (RemoteError, ModelError) as error:
            return _failed(reply, error)
        usage = progress.finish.usage if progress.finish else None
        told = sum(piece.log_probability is not None for piece in progress.pieces)
        counted = (reply.answer_tokens or 0) + told if told or reply.answer_tokens else None
        return replace(
            reply,
            name=model.remote.name,
            begun=True,
            text=reply.text + "".join(piece.text for piece in progress.pieces),
            pieces=progress.arrived,
            first_after=progress.first_after,
            seconds=progress.last_after or progress.seconds,
            prompt_tokens=usage.prompt_tokens if usage else reply.prompt_tokens,
            answer_tokens=usage.answer_tokens if usage and usage.answer_tokens else counted,
            reason=progress.finish.reason if progress.finish else None,
            trouble=progress.trouble,
        )


def _name(run: int, place: int) -> str:
    return f"{run}-{place}"


def _request(question: lab.Go) -> RemoteRequest:
    return RemoteRequest(
        (ChatMessage("user", question.prompt),),
        SamplerSettings(temperature=question.temperature),
        most_tokens=lab.MOST_TOKENS,
    )


def _prompt(model: LanguageModel, prompt: str) -> list[int]:
    """Return the prompt's token ids. For a chat model, the prompt is a user message."""
    if not model.card.chat:
        return text_ids(model, prompt)
    return chat_ids(model, [ChatMessage("user", prompt)])


def _failed(reply: lab.Reply, error: TutorError) -> lab.Reply:
    """Return the reply with an error. The text that has already arrived is kept."""
    return replace(reply, begun=True, trouble=ErrorReport.of(error))


def make_backend(tools: Tools) -> CompareBackend:
    return CompareBackend(tools)
