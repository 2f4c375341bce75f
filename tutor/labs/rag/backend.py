"""Search for passages, build prompts from them, and generate answers."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.rag import questions
from tutor.labs.rag.attempt import passage_line
from tutor.labs.rag.questions import Answer, Hit, Kind, Question
from tutor.labs.rag.texts import Library, Texts
from tutor.labs.rag.vectors import Vectors, of_encoder, of_model
from tutor.lm.chat import text_ids
from tutor.lm.distribution import PLAIN, Token
from tutor.lm.session import CHUNK, Session
from tutor.retrieval.pairs import pairs
from tutor.retrieval.passage import Found as FoundPassage
from tutor.retrieval.passage import Passage
from tutor.retrieval.ranking import first_right, fused

MERGED = 50
"""The number of results that a search returns if these results will be merged or evaluated."""
SESSIONS = 4
"""The maximum number of prompts for which a key-value cache is kept."""

NOTE = "Note"
"""The heading of the learner's false passage."""


class Limits(msgspec.Struct, frozen=True):
    """The limits of the backend, in tokens.

    `budget` is the maximum total for all passages, `length` the maximum for an answer, and `chunk`
    the number of tokens that prefill processes at a time.
    """

    budget: int = questions.BUDGET
    length: int = questions.LENGTH
    chunk: int = CHUNK


LIMITS = Limits()
LIBRARY = Library()


class RagBackend(ModelBackend):
    """The lab's backend. It caches texts, passage vectors, and the latest sessions."""

    def __init__(self, tools: Tools, library: Library = LIBRARY, limits: Limits = LIMITS) -> None:
        super().__init__(tools)
        self._library = library
        self._limits = limits
        self._texts: dict[str, Texts] = {}
        self._vectors: dict[tuple[str, questions.Maker], Vectors] = {}
        self._sessions: OrderedDict[tuple[int, ...], Session] = OrderedDict()

    def answer(self, question: Question) -> Answer:
        """Compute the response to one request of the lab.

        Raises `RetrievalError` if an index is missing or damaged, `TextError` if the vocabulary
        cannot express the text, and `EncoderMissing` if the sentence encoder is needed but not
        installed.
        """
        match question:
            case questions.Look():
                return questions.Sources(
                    tuple(self._library.sources()), encoder=self._library.has_encoder()
                )
            case questions.Read(source=source, maker=maker):
                return self._vectors_of(source, maker).read_on(self._until())
            case questions.Find(query=query, way=way, count=count):
                return questions.Found(self._found(query, way, count))
            case questions.Write(prompt=prompt, ids=ids):
                return self._written(text_ids(self._model, prompt), ids)
            case questions.Score(prompt=prompt, ids=ids):
                return self._scored(text_ids(self._model, prompt), ids)
            case questions.Rank(kind=kind, first=first):
                return self._ranked(kind, first)

    def _until(self) -> float:
        return time.monotonic() + self._moment

    def _texts_of(self, source: str) -> Texts:
        if source not in self._texts:
            self._texts[source] = self._library.texts(source)
        return self._texts[source]

    def _vectors_of(self, source: str, maker: questions.Maker) -> Vectors:
        whose = (source, maker)
        if whose not in self._vectors:
            passages, check = self._texts_of(source).passages, self._check_cancelled
            self._vectors[whose] = (
                of_encoder(passages, check)
                if maker == "encoder"
                else of_model(self._model, passages, self._library.questions(), check)
            )
        return self._vectors[whose]

    def _found(self, query: str, way: questions.Way, count: int) -> tuple[Hit, ...]:
        false = Passage("", "", 1, NOTE, way.poison) if way.poison else None
        found = self._search(way.source, way.kind, query, questions.SHOWN, false)
        hits = (Hit(it.passage, it.score, it.marks, false=it.passage == false) for it in found)
        return tuple(self._assembled(hits, count))

    def _search(
        self, source: str, kind: Kind, query: str, limit: int, false: Passage | None = None
    ) -> list[FoundPassage]:
        match kind:
            case "words":
                return self._texts_of(source).by_words(query, limit, false)
            case "meaning" | "encoder":
                return self._vectors_of(source, kind).nearest(query, limit, false)
        by_words = self._search(source, "words", query, MERGED, false)
        by_meaning = self._search(source, "meaning", query, MERGED, false)
        marks = {each.passage: each.marks for each in by_words}
        merged = fused([each.passage for each in by_words], [each.passage for each in by_meaning])
        return [
            FoundPassage(passage, score, marks.get(passage, ()))
            for passage, score in merged[:limit]
        ]

    def _assembled(self, hits: Iterable[Hit], count: int) -> list[Hit]:
        """Return the hits, each with the part of its passage that goes into the prompt.

        Whole passages are used as long as they fit. The first passage that doesn't fit is cut off,
        and the later ones are left out.
        """
        room = self._limits.budget
        assembled = []
        for number, hit in enumerate(hits, start=1):
            heading, text = hit.passage.heading, " ".join(hit.passage.text.split())
            whole = self._tokens(passage_line(number, heading, text))
            kept = ""
            if number <= min(count, questions.SHOWN) and room > 0:
                kept = text if whole <= room else self._beginning(number, heading, text, room)
            tokens = self._tokens(passage_line(number, heading, kept)) if kept else 0
            room = room - whole if kept == text else 0
            assembled.append(replace(hit, kept=kept, tokens=tokens, whole=whole))
        return assembled

    def _tokens(self, text: str) -> int:
        return len(self._model.tokenizer.encode(text))

    def _beginning(self, number: int, heading: str, text: str, room: int) -> str:
        """Return the beginning of the text that fits into `room` tokens, in whole words.

        Returns "" if fewer than five words fit.
        """
        words = text.split()
        fit = 0
        step = len(words)
        while step:
            beginning = " ".join(words[: fit + step])
            if fit + step <= len(words) and (
                self._tokens(passage_line(number, heading, beginning)) <= room
            ):
                fit += step
            else:
                step //= 2
        return " ".join(words[:fit]) if fit >= 5 else ""

    def _ranked(self, kind: Kind, first: int) -> questions.Ranked:
        began = time.monotonic()
        ranks, scores = [], []
        for pair in pairs()[first:]:
            found = self._search(questions.COURSE, kind, pair.ask, MERGED)
            ids = list(dict.fromkeys(each.passage.id for each in found))
            ranks.append(first_right(ids, pair.right))
            scores.append(found[0].score if found else 0.0)
            self._check_cancelled()
            if time.monotonic() - began >= self._moment:
                break
        return questions.Ranked(tuple(ranks), tuple(scores), time.monotonic() - began)

    def _written(self, prompt: list[int], ids: tuple[int, ...]) -> questions.Written:
        """Return the answer, extended by greedy decoding for one time slice.

        The answer ends after its first line.
        """
        began = time.monotonic()
        session = self._session_on(prompt)
        written = list(ids)
        read = self._read_on(session, [*prompt, *written], began + self._moment)
        ended = False
        while read and not ended:
            best = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0].token
            ended = self._ends(best, written)
            if not ended:
                session.append([best.id])
                written.append(best.id)
                ended = len(written) >= self._limits.length
            self._check_cancelled()
            if time.monotonic() - began >= self._moment:
                break
        return questions.Written(
            tuple(written),
            self._bytes(written),
            ended,
            min(len(session), len(prompt)),
            len(prompt),
            time.monotonic() - began,
        )

    def _ends(self, token: Token, written: Sequence[int]) -> bool:
        """Return True if the answer ends before this token.

        This is the case for an end token, and for a token with a line break.
        """
        if token.id in self._model.tokenizer.end_ids:
            return True
        return b"\n" in token.data and bool(self._bytes(written).strip())

    def _bytes(self, ids: Sequence[int]) -> bytes:
        return b"".join(token.data for token in self._model.tokenizer.tokens(ids))

    def _scored(self, prompt: list[int], ids: tuple[int, ...]) -> questions.Scored:
        session = self._session_on(prompt)
        if not self._read_on(session, [*prompt, *ids], self._until()):
            return questions.Scored(None)
        return questions.Scored(sum(bits or 0.0 for bits in session.surprisals(len(prompt))))

    def _session_on(self, prompt: list[int]) -> Session:
        """Return the session for this prompt.

        The model may not have processed all of the prompt yet. Raises `LabError` if the prompt and
        an answer don't fit into the context window.
        """
        key = tuple(prompt)
        if key not in self._sessions:
            context = self._model.network.config.context
            if len(prompt) + self._limits.length > context:
                raise LabError(
                    f"The prompt has {len(prompt)} tokens, which is too many for the model's "
                    f"context window of {context}.",
                    "Press ← to use fewer passages.",
                )
            self._sessions[key] = Session(
                self._model, prompt[:1], check_cancelled=self._check_cancelled
            )
        self._sessions.move_to_end(key)
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return self._sessions[key]

    def _read_on(self, session: Session, path: list[int], until: float) -> bool:
        """Process `path` in chunks until the deadline. Return True if all of it is processed."""
        session.replace(path[: min(len(session), len(path))])
        while len(session) < len(path):
            session.append(path[len(session) : len(session) + self._limits.chunk])
            session.distribution(len(session), PLAIN, seed=0, top=1)
            if time.monotonic() >= until:
                break
        return len(session) == len(path)


def make_backend(tools: Tools) -> RagBackend:
    return RagBackend(tools)
