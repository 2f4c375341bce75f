"""Servers that describe tokens as llama.cpp's server and vLLM do, each with one of our models.

They follow the responses of llama.cpp's server of October 2026 and of vLLM 0.32.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

from tests.vendors.loopback import Handler, Loopback, chat_event, loopback, text_event
from tests.vendors.model_server import ModelServer
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session
from tutor.lm.tokenizer import byte_characters
from tutor.vendors.alternatives import ALTERNATIVES, MANY
from tutor.vendors.vocabulary import END

END_NAME = "<|im_end|>"


class Chosen(NamedTuple):
    """A token that a server has generated, with the most probable tokens at its position."""

    id: int
    log: float
    tops: list[tuple[int, float]]


JAPANESE = "日".encode()


class Dialect(ModelServer):
    """The parts that both servers have in common. With `parts`, the model writes JAPANESE.

    `listed` is the number of alternatives that tutor should ask for.
    """

    listed = ALTERNATIVES

    def __init__(self, model: LanguageModel, *, parts: bool = False) -> None:
        super().__init__(model)
        tokens = [model.tokenizer.token(id_) for id_ in range(model.card.vocabulary_size)]
        self._bytes = {t.data: t.id for t in tokens if len(t.data) == 1 and t.data in JAPANESE}
        self._parts = parts
        self._session = Session(model, [0])

    def logs(self, ids: Sequence[int]) -> torch.Tensor:
        """Return the log-probabilities of the token after `ids`."""
        self._session.replace(ids)
        logits = self._session.logits(len(ids)).double().clone()
        if self._parts:
            at = JAPANESE.find(self._model.tokenizer.token(ids[-1]).data) + 1
            logits[self._bytes[JAPANESE[at % 3 :][:1]]] += 30
        return logits.log_softmax(-1)

    def __call__(self, handler: Handler) -> None:
        asked = handler.server.asked[-1]
        endpoint = getattr(self, "on_" + asked.path.strip("/").replace("-", "_"), None)
        with self._lock:
            if endpoint is not None:
                handler.begin(kind="application/json")
                handler.wfile.write(json.dumps(endpoint(asked.body)).encode())
            elif asked.path == "/v1/completions":
                self.write(handler, asked.body, self.ids(asked.body["prompt"]), chat=False)
            elif asked.path == "/v1/chat/completions":
                self.write(handler, asked.body, self.chat(asked.body), chat=True)
            else:
                handler.begin(404, "application/json")
                handler.wfile.write(b'{"error": {"message": "File Not Found"}}')

    def write(self, handler: Handler, body: Any, ids: list[int], *, chat: bool) -> None:
        raise NotImplementedError

    def ids(self, prompt: str | Sequence[str | int]) -> list[int]:
        if isinstance(prompt, str):
            return list(text_ids(self._model, prompt))
        parts = [[part] if isinstance(part, int) else self.parsed(part) for part in prompt]
        return [id_ for part in parts for id_ in part]

    def parsed(self, text: str) -> list[int]:
        return list(text_ids(self._model, text))

    def chat(self, body: Any) -> list[int]:
        messages = [ChatMessage(m["role"], m["content"]) for m in body["messages"]]
        begun = messages.pop().content if body.get("continue_final_message") else ""
        return [*chat_ids(self._model, messages), *self._model.tokenizer.encode(begun)]

    def generated(self, ids: list[int], body: Any, top: int, force: int | None) -> list[Chosen]:
        """Return the tokens of a greedy response, with the end token if the model ends it."""
        found: list[Chosen] = []
        for _ in range(body["max_tokens"]):
            logs = self.logs([*ids, *(each.id for each in found)])
            best = torch.topk(logs, top).indices.tolist()
            id_ = best[0] if force is None else force
            found.append(Chosen(id_, float(logs[id_]), [(i, float(logs[i])) for i in best]))
            if self.is_end(id_):
                break
        return found

    def is_end(self, id_: int) -> bool:
        return id_ in self._model.tokenizer.end_ids

    def data(self, id_: int) -> bytes:
        return b"" if self.is_special(id_) else self._model.tokenizer.token(id_).data

    def shown(self, id_: int) -> bytes:
        """Return the bytes that the learner should see, or nothing if the server hides them."""
        return END.data if self.is_end(id_) else self.data(id_)

    def is_special(self, id_: int) -> bool:
        return self._model.tokenizer.token(id_).special


class LlamaCpp(Dialect):
    """llama.cpp's server, which returns ids and bytes.

    Special tokens have no bytes. Parts of a character are held back until it is complete.
    """

    listed = MANY

    def on_props(self, body: Any) -> Any:
        return {"eos_token": END_NAME, "bos_token": "", "total_slots": 1}

    def on_tokenize(self, body: Any) -> Any:
        ends = [{"id": i, "piece": self.name(i)} for i in self._model.tokenizer.end_ids]
        return {"tokens": [{"id": 40, "piece": "<"}, *ends]}

    def on_apply_template(self, body: Any) -> Any:
        return {"prompt": json.dumps(body)}

    def parsed(self, text: str) -> list[int]:
        return self.chat(json.loads(text)) if text.startswith("{") else super().parsed(text)

    def name(self, id_: int) -> str:
        return self._model.tokenizer.token(id_).text

    def write(self, handler: Handler, body: Any, ids: list[int], *, chat: bool) -> None:
        top = body.get("top_logprobs" if chat else "logprobs", 0)
        force = body["logit_bias"][0][0] if "logit_bias" in body else None
        handler.begin()
        held = b""
        for chosen in self.generated(ids, body, top, force):
            held += self.data(chosen.id)
            if not _whole(held):
                continue
            own = self._entry(chosen.id, chosen.log, held)
            tops = [self._entry(id_, log, self.data(id_)) for id_, log in chosen.tops]
            event = chat_event(held.decode()) if chat else text_event(held.decode())
            event["choices"][0]["logprobs"] = {"content": [{**own, "top_logprobs": tops}]}
            handler.event(event)
            held = b""
        finish = "stop" if self.is_end(chosen.id) else "length"
        handler.event(chat_event(finish=finish) if chat else text_event(finish=finish))
        handler.event("[DONE]")

    def _entry(self, id_: int, log: float, data: bytes) -> Any:
        return {
            "id": id_,
            "token": data.decode("utf-8", "replace"),
            "bytes": list(data),
            "logprob": log,
        }


class VLLM(Dialect):
    """vLLM, which returns special tokens as text.

    A token with part of a character is empty or is not valid text.

    If asked to, it names tokens by their ids. In the completion format, tokens of the same name
    replace each other.
    """

    def on_tokenize(self, body: Any) -> Any:
        ids = self.chat(body) if "messages" in body else self.ids(body["prompt"])
        names = {data: name for name, data in byte_characters().items()}
        data = [self._model.tokenizer.token(id_).data for id_ in ids]
        strings = ["".join(names[bytes([byte])] for byte in each) for each in data]
        return {"tokens": ids, "count": len(ids), "token_strs": strings}

    def on_detokenize(self, body: Any) -> Any:
        data = b"".join(self._model.tokenizer.token(id_).data for id_ in body["tokens"])
        return {"prompt": data.decode("utf-8", "replace")}

    def write(self, handler: Handler, body: Any, ids: list[int], *, chat: bool) -> None:
        top = body.get("top_logprobs" if chat else "logprobs", 0)
        by_id = body.get("return_tokens_as_token_ids", False)
        decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        handler.begin()
        chosen = self.generated(ids, body, top, None)
        for place, each in enumerate(chosen):
            last = place == len(chosen) - 1
            finish = ("stop" if self.is_end(each.id) else "length") if last else None
            text = decoder.decode(self.data(each.id))
            name = self._name(each.id, by_id=by_id)
            tops = [(self._name(id_, by_id=by_id), log) for id_, log in each.tops]
            event = (chat_event if chat else text_event)(text, finish, [(name, each.log, tops)])
            handler.event(event)
        handler.event("[DONE]")

    def shown(self, id_: int) -> bytes:
        return END.data if self.is_end(id_) else self._model.tokenizer.token(id_).data

    def _name(self, id_: int, *, by_id: bool) -> str:
        if by_id:
            return f"token_id:{id_}"
        name = self._model.tokenizer.token(id_).data.decode("utf-8", "replace")
        return "" if name.endswith("\ufffd") else name


def _whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def serving(dialect: Dialect) -> Iterator[Loopback]:
    """Start a server, and yield it."""
    with loopback() as server:
        server.answers = [dialect]
        yield server
