"""Ask a self-hosted server which tokens its ids stand for.

llama.cpp's server and vLLM have their own endpoints for this, in addition to OpenAI's API:

    llama.cpp   GET /props            the name of the end token
                POST /tokenize        the tokens of a text, with their bytes
                POST /apply-template  a conversation as the text that the model reads
    vLLM        POST /tokenize        the tokens of a text or of a conversation
                POST /detokenize      the text of tokens

They are used only if a response contains ids without bytes. These are the ids of special tokens,
and of tokens that contain only part of a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from tutor.lm.tokenizer import byte_characters
from tutor.vendors.openai_wire import END_NAMES, THE_END, UNKNOWN, Spelling

Ask = Callable[[str, dict[str, Any] | None], Any]
"""A function that sends a request to a path of the server, and returns the decoded response.

It returns None if the server does not have this path. Without a body, the request is a GET.
"""


_AT_ONCE = 100
"""The number of characters to tokenize in one request. The context window may be small."""

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")

_BYTE_OF = byte_characters()

Told = TypeVar("Told")


class _Props(msgspec.Struct, frozen=True):
    eos_token: str = ""


class _NamedToken(msgspec.Struct, frozen=True):
    id: int
    piece: str | list[int] = ""


class _NamedTokens(msgspec.Struct, frozen=True):
    tokens: list[_NamedToken] = []


class _Ids(msgspec.Struct, frozen=True):
    tokens: list[int] = []


class _Strings(msgspec.Struct, frozen=True):
    tokens: list[int] = []
    token_strs: list[str] = []


class _Prompt(msgspec.Struct, frozen=True):
    prompt: str = ""


class ServerTokens:
    """A cache of the responses in which one server describes its tokens."""

    def __init__(self, model: str, ask: Ask) -> None:
        self._model = model
        self._ask = ask
        self._spelled: dict[int, Spelling] = {}

    def spell(self, id_: int) -> Spelling:
        """Return the bytes of a token that the server has named only by its id."""
        if id_ not in self._spelled:
            self._spelled[id_] = self._found(id_)
        return self._spelled[id_]

    @property
    def of_llama_cpp(self) -> bool:
        """Return True for llama.cpp's server, which is recognized by its `/props`."""
        return self._props is not None

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Return the ids of the tokens that end a text on llama.cpp's server."""
        if self._props is None:
            return ()
        names = END_NAMES | {self._props.eos_token}
        body = {"content": "".join(sorted(names)), "with_pieces": True, "parse_special": True}
        found = self._told("/tokenize", body, _NamedTokens) or _NamedTokens()
        return tuple(token.id for token in found.tokens if token.piece in names)

    def prompt(self, prompt: str | Sequence[dict[str, str]], tail: Sequence[int]) -> list[Any]:
        """Return a prompt for the completion endpoint that ends with the tokens `tail`.

        `prompt` is text, or a conversation with the assistant's answer so far. The result is empty
        if the server cannot do this.
        """
        if self._props is not None:
            text = prompt if isinstance(prompt, str) else self._templated(prompt)
            return [text, *tail] if text else []
        body: dict[str, Any] = {"model": self._model}
        if isinstance(prompt, str):
            body["prompt"] = prompt
        else:
            body |= {"messages": prompt, **_continuing(prompt)}
        found = self._told("/tokenize", body, _Ids)
        return [*found.tokens, *tail] if found and found.tokens else []

    @cached_property
    def _props(self) -> _Props | None:
        """Return what llama.cpp's server reports about its model, or None for another server."""
        found = self._told("/props", None, _Props)
        return found if found and found.eos_token else None

    def _templated(self, messages: Sequence[dict[str, str]]) -> str:
        body = {"messages": messages, **_continuing(messages)}
        found = self._told("/apply-template", body, _Prompt)
        return found.prompt if found else ""

    def _found(self, id_: int) -> Spelling:
        if self._props is not None:
            return THE_END if id_ in self.ends else UNKNOWN
        found = self._told("/detokenize", {"model": self._model, "tokens": [id_]}, _Prompt)
        if found is None or not found.prompt:
            return UNKNOWN
        if found.prompt in END_NAMES:
            return THE_END
        if "\ufffd" in found.prompt:
            return Spelling(self._parts.get(id_, b""))
        return Spelling(found.prompt.encode("utf-8", "surrogatepass"))

    @cached_property
    def _parts(self) -> dict[int, bytes]:
        """Return the bytes of vLLM's tokens that contain parts of characters, by id.

        vLLM can't decode such a token to text. But when it tokenizes a text, it also returns the
        names of the tokens in the vocabulary. So it is asked to tokenize texts that probably
        contain all of these tokens.
        """
        found: dict[int, bytes] = {}
        for text in _samples():
            body = {"model": self._model, "prompt": text, "return_token_strs": True}
            told = self._told("/tokenize", body | {"add_special_tokens": False}, _Strings)
            if told is None:
                break
            found |= zip(told.tokens, map(_bytes_of, told.token_strs), strict=False)
        return found

    def _told(self, path: str, body: dict[str, Any] | None, kind: type[Told]) -> Told | None:
        try:
            return msgspec.convert(self._ask(path, body), kind)
        except msgspec.ValidationError:
            return None


def _samples() -> Iterator[str]:
    """Yield short texts whose characters begin with all common byte sequences of UTF-8."""
    pairs = [bytes([0xE0 + lead, 0x80 + second]) for lead in range(16) for second in range(64)]
    pairs += [bytes([0xF0, 0x9F, 0x80 + third]) for third in range(64)]
    leads = [bytes([0xC2 + lead]) for lead in range(30)]
    data = [start + bytes([last]) for start in pairs + leads for last in (0x80, 0x95, 0xAA, 0xBF)]
    characters = [text for each in data if (text := each.decode("utf-8", "ignore"))]
    for start in range(0, len(characters), _AT_ONCE):
        yield "".join(characters[start : start + _AT_ONCE])


def _bytes_of(name: str) -> bytes:
    """Return the bytes of a token from its name in the vocabulary.

    In SentencePiece, a byte is written as `<0xE6>`. In a byte-level vocabulary, each character of a
    name represents one byte.
    """
    if _BYTE.fullmatch(name):
        return bytes.fromhex(name[3:-1])
    data = [_BYTE_OF.get(character) for character in name]
    return b"".join(byte for byte in data if byte is not None) if None not in data else b""


def _continuing(messages: Sequence[dict[str, str]]) -> dict[str, bool]:
    """Return the parameters that make a server continue the last message if it is an answer."""
    begun = bool(messages) and messages[-1]["role"] == "assistant"
    return {"continue_final_message": begun, "add_generation_prompt": not begun}
