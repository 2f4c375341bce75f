"""A server with OpenAI's API for one of our models.

To start it by hand:

    python -m tests.vendors.model_server [MODEL] [closes] [silent]

It runs until its input ends. It returns log-probabilities in both formats, echoes prompts, and
continues an answer that has begun if asked to, as vLLM does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch

from tests.vendors.loopback import Handler, Loopback, chat_event, loopback, text_event, usage_event
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import ChatMessage, SamplerSettings
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.lm.session import Session
from tutor.models.find import find_model

Told = tuple[str, float, list[tuple[str, float]]]


class ModelServer:
    """A handler of requests about one model.

    Without `goes_on`, an answer that has begun is closed. Without `tells`, there are no
    log-probabilities, and without `streams_them`, there are none in the stream of a text.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        goes_on: bool = True,
        tells: bool = True,
        streams_them: bool = True,
    ) -> None:
        self._model = model
        self._goes_on = goes_on
        self._tells = tells
        self._streams_them = streams_them
        self._lock = Lock()

    def __call__(self, handler: Handler) -> None:
        asked = handler.server.asked[-1]
        with self._lock:
            if asked.path == "/v1/completions":
                self._continue(handler, asked.body)
            else:
                self._answer(handler, asked.body)

    def _continue(self, handler: Handler, body: Any) -> None:
        top = body.get("logprobs", 0) if self._tells else 0
        ids = text_ids(self._model, body["prompt"])
        if body.get("echo") or not body.get("stream"):
            told = self._echoed(ids) if top and body.get("echo") else []
            steps = list(self._steps(ids, body, top))
            handler.begin(kind="application/json")
            reason = "stop" if self._ended else "length"
            text = "".join(name for name, _, _ in steps)
            event = text_event(text, reason, [*told, *steps] if top else ())
            handler.wfile.write(json.dumps(event).encode())
            return
        handler.begin()
        top = top if self._streams_them else 0
        for token in self._steps(ids, body, top):
            handler.event(text_event(token[0], told=[token] if top else ()))
        handler.event(text_event("", finish="length" if not self._ended else "stop"))
        handler.event("[DONE]")

    def _answer(self, handler: Handler, body: Any) -> None:
        messages = [ChatMessage(m["role"], m["content"]) for m in body["messages"]]
        begun = ""
        if messages[-1].role == "assistant" and body.get("continue_final_message"):
            begun = messages.pop().content if self._goes_on else ""
        ids = [*chat_ids(self._model, messages), *self._model.tokenizer.encode(begun)]
        top = body.get("top_logprobs", 0) if self._tells else 0
        handler.begin()
        count = 0
        for token in self._steps(ids, body, top):
            count += 1
            handler.event(chat_event(token[0], told=[token] if top else ()))
        handler.event(chat_event(finish="length" if not self._ended else "stop"))
        handler.event(usage_event(len(ids), count))
        handler.event("[DONE]")

    def _steps(self, ids: Sequence[int], body: Any, top: int) -> Iterator[Told]:
        session = Session(self._model, ids)
        sampler = SamplerSettings(body.get("temperature", 1.0), top_p=body.get("top_p", 1.0))
        self._ended = False
        most = body.get("max_tokens", body.get("max_completion_tokens", 64))
        for _ in range(most):
            found = session.distribution(len(session), sampler, body.get("seed", 0), 1)
            logs = torch.log_softmax(session.logits(len(session)).double(), -1)
            session.append([found.drawn.token.id])
            if session.ended:
                self._ended = True
                return
            best = torch.topk(logs, top).indices.tolist() if top else []
            tops = [(self._spelled(id_), float(logs[id_])) for id_ in best]
            id_ = found.drawn.token.id
            yield self._spelled(id_), float(logs[id_]), tops

    def _echoed(self, ids: Sequence[int]) -> list[Any]:
        bits = Session(self._model, ids).surprisals()
        return [
            (self._spelled(id_), None if b is None else -b * 0.6931471805599453, [])
            for id_, b in zip(ids, bits, strict=True)
        ]

    def _spelled(self, id_: int) -> str:
        data = self._model.tokenizer.token(id_).data
        try:
            return data.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


@contextmanager
def model_server(model: LanguageModel, **how: bool) -> Iterator[Loopback]:
    with loopback() as server:
        server.answers = [ModelServer(model, **how)]
        yield server


if __name__ == "__main__":
    spec = sys.argv[1] if len(sys.argv) > 1 else "small-model"
    how = {"goes_on": "closes" not in sys.argv, "tells": "silent" not in sys.argv}
    with model_server(load_model(find_model(spec)), **how) as running:
        print(running.url + "/v1", flush=True)
        sys.stdin.read()
