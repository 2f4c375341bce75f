r"""Define the messages of OpenAI's API, and convert them to pieces.

There are two formats of log-probabilities. The chat format contains the bytes of each token.
llama.cpp's server also uses it when it continues text.

The completion format contains only text. A token that contains only part of a character appears as
`bytes:\xe2\x80`, as a replacement character, or as an empty string, depending on the server.
Alternatives whose bytes are unknown are left out, and their probability counts as hidden.

Some servers report the ids of tokens: llama.cpp's server in addition to the bytes, and vLLM instead
of the text (`token_id:5`). Special tokens have no bytes on llama.cpp's server. A `Spell` function
finds out which bytes belong to an id, and which token ends the answer.
"""

from __future__ import annotations

import codecs
import heapq
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec

from tutor.vendors.alternatives import MANY
from tutor.vendors.service import Alternative, Piece, Reason

_BYTES = re.compile(r"bytes:(?:\\x[0-9a-fA-F]{2})+")
_ID = re.compile(r"token_id:(\d{1,9})")

_NAMES = """
</s> <eos> <|im_end|> <|endoftext|> <|eot_id|> <|eom_id|> <|end_of_text|> <|end|> <|return|>
<end_of_turn> <turn|> <|end_of_turn|> <|endofturn|> <|end_of_role|> <|end_of_sentence|>
"""
END_NAMES = frozenset(_NAMES.split())
"""The names of the tokens that common models use to end a text or an answer."""

END_DATA = b"<end>"
"""The bytes of the alternative that ends the answer, whatever its name is."""


LONGEST_TOKEN = 1_000
"""The maximum length of a token, in characters and in bytes.

The longest tokens of common vocabularies have about 130 characters. A longer token makes the
response invalid, because every token takes up space on the screen.
"""

_Name = Annotated[str, msgspec.Meta(max_length=LONGEST_TOKEN)]
_Bytes = Annotated[list[int], msgspec.Meta(max_length=LONGEST_TOKEN)]


class Spelling(NamedTuple):
    """The bytes of a token. `ends` is True if it ends the answer."""

    data: bytes
    ends: bool = False


THE_END = Spelling(END_DATA, ends=True)
UNKNOWN = Spelling(b"")

Spell = Callable[[int], Spelling]
"""A function that returns the spelling of the token with this id, or `UNKNOWN`."""


def spell_nothing(id_: int) -> Spelling:
    """Return `UNKNOWN` for every id."""
    return UNKNOWN


class TopLogProb(msgspec.Struct, frozen=True):
    token: _Name
    logprob: float
    bytes: _Bytes | None = None
    id: int | None = None


class TokenLogProb(msgspec.Struct, frozen=True):
    """A token with its log-probability, in the chat format."""

    token: _Name
    logprob: float
    bytes: _Bytes | None = None
    id: int | None = None
    top_logprobs: list[TopLogProb] | None = None


class LogProbs(msgspec.Struct, frozen=True):
    """The log-probabilities of an answer.

    `content` is set in the chat format, and all other fields in the completion format.
    """

    content: list[TokenLogProb] | None = None
    tokens: list[_Name] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[_Name, float] | None] | None = None


class Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """An answer in a response.

    In a chat, `delta` is set in an event of a stream, and `message` in a whole response. In a text
    completion, `text` is set.
    """

    delta: Delta | None = None
    message: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: LogProbs | None = None


class TokenUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct, frozen=True):
    """One event of a stream, or a complete response."""

    choices: list[Choice] = []
    usage: TokenUsage | None = None


class Pieces:
    """A converter from events to pieces. It joins bytes of a character that arrive separately.

    If the server lists more than `most` alternatives for a token, only the most probable of them
    are converted.
    """

    def __init__(self, spell: Spell = spell_nothing, most: int = MANY) -> None:
        self._spell = spell
        self._most = most
        self.count = 0
        """The number of non-empty pieces so far."""
        self.arrived = 0
        """The total number of pieces so far, including empty ones."""
        self.unnamed = False
        """True if the server has listed a token without reporting its bytes or its id."""
        self.by_id = False
        """True if the server names tokens by their ids, as vLLM does on request."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def of(self, choice: Choice) -> Iterator[Piece]:
        text = choice.text or ""
        if (said := choice.delta or choice.message) is not None:
            text = (said.content or "") + (said.refusal or "")
        logprobs = _limited(choice.logprobs, self._most) if choice.logprobs else None
        told = list(tokens_in(logprobs, self._spell)) if logprobs else []
        for name in _listed(logprobs) if logprobs else ():
            self.by_id |= _id_in(name.token) is not None
            self.unnamed |= name.id is None and not _spelling(name, spell_nothing).data
        if told and not any(piece.data for piece in told) and text:
            told = []
        if choice.finish_reason == "stop" and told and not text and len(told) == 1:
            told = [_as_end(told[0])]  # The server reports the end token, but it isn't text.
        if not told and text:
            told = [Piece("", text.encode("utf-8", "surrogatepass"))]
        for piece in told:
            self.count += bool(piece.data)
            self.arrived += 1
            shown = self._decoder.decode(piece.data)
            yield msgspec.structs.replace(piece, text=shown)

    def rest(self) -> Iterator[Piece]:
        """Yield a replacement character if the last character is not complete."""
        if left := self._decoder.decode(b"", final=True):
            yield Piece(left, b"")


def tokens_in(told: LogProbs, spell: Spell = spell_nothing) -> Iterator[Piece]:
    """Yield the tokens that have log-probabilities. Their `text` is filled in later."""
    if told.content is not None:
        for token in told.content:
            yield from _chat_token(token, spell)
        return
    tokens = told.tokens or ()
    for index, name in enumerate(tokens):
        own = _at(told.token_logprobs, index)
        listed = (_at(told.top_logprobs, index) or {}).items()
        tops = [TopLogProb(each, value, None, _id_in(each)) for each, value in listed]
        spelled = _spelling(TopLogProb(name, 0.0, None, _id_in(name)), spell)
        yield Piece(
            "",
            b"" if spelled.ends else spelled.data,
            None if own is None else _finite(own),
            _alternatives(tops, spell),
        )


def _limited(told: LogProbs, most: int) -> LogProbs:
    """Return the log-probabilities with at most `most` alternatives per token.

    The most probable alternatives are kept, the most probable first. A server may list any number.
    """

    def likely(top: TopLogProb) -> float:
        return top.logprob if math.isfinite(top.logprob) else -math.inf

    content = told.content and [
        msgspec.structs.replace(token, top_logprobs=heapq.nlargest(most, tops, likely))
        if (tops := token.top_logprobs) and len(tops) > most
        else token
        for token in told.content
    ]
    listed = told.top_logprobs and [
        dict(heapq.nlargest(most, tops.items(), lambda each: likely(TopLogProb(*each))))
        if tops and len(tops) > most
        else tops
        for tops in told.top_logprobs
    ]
    return msgspec.structs.replace(told, content=content, top_logprobs=listed)


def _listed(told: LogProbs) -> Iterator[TopLogProb]:
    """Yield all alternatives in a response, as the server names them."""
    for token in told.content or ():
        yield from token.top_logprobs or ()
    for tops in told.top_logprobs or ():
        yield from (TopLogProb(name, value) for name, value in (tops or {}).items())


def _chat_token(token: TokenLogProb, spell: Spell) -> Iterator[Piece]:
    """Yield a token in the chat format.

    llama.cpp's server joins tokens until their bytes form whole characters, but lists alternatives
    only for the last of them. In that list, the last token has only its own bytes. The bytes of the
    tokens before it are yielded as a piece without log-probability.
    """
    tops = token.top_logprobs or []
    spelled = _spelling(TopLogProb(token.token, 0.0, token.bytes, token.id), spell)
    own = b"" if spelled.ends else spelled.data
    same = (top for top in tops if token.id is not None and top.id == token.id)
    for last in (_spelling(top, spell).data for top in same):
        if last != own and own.endswith(last) and last:
            yield Piece("", own[: -len(last)])
            own = last
    yield Piece("", own, _finite(token.logprob), _alternatives(tops, spell))


def _as_end(piece: Piece) -> Piece:
    """Return the piece without bytes, and with its alternative marked as the end of the answer."""
    listed: dict[bytes, Alternative] = {}
    for each in piece.alternatives:
        same = each.data == piece.data
        named = msgspec.structs.replace(each, data=END_DATA, ends=True) if same else each
        listed.setdefault(named.data, named)
    return msgspec.structs.replace(piece, data=b"", alternatives=tuple(listed.values()))


class Echo(msgspec.Struct, frozen=True):
    """The tokens of a prompt that a server has repeated, with their log-probabilities.

    `followed` is True if the server also returned a token after the prompt. `ended` is True if the
    model ended the text right after the prompt.
    """

    pieces: tuple[Piece, ...]
    followed: bool
    ended: bool

    @property
    def without_log_probabilities(self) -> tuple[Piece, ...]:
        return tuple(Piece(piece.text, piece.data) for piece in self.pieces)


def echo_in(answer: Any, prompt: str, spell: Spell = spell_nothing) -> Echo | None:
    """Return the prompt in a response to a request with `echo`.

    The result is None if the tokens don't add up to `prompt`. Raises `msgspec.ValidationError`.
    """
    chunk = msgspec.convert(answer, Chunk)
    choice = chunk.choices[0] if chunk.choices else Choice()
    if choice.logprobs is None:
        return None
    wanted, data = prompt.encode("utf-8", "surrogatepass"), b""
    found: list[Piece] = []
    followed = False
    for piece in tokens_in(_limited(choice.logprobs, MANY), spell):
        if data == wanted:
            followed = True
            break
        if not found and not wanted.startswith(piece.data):
            continue  # The special token at the start of the text is not part of the prompt.
        data += piece.data
        if piece.data:
            found.append(msgspec.structs.replace(piece, text=piece.data.decode("utf-8", "replace")))
    if data != wanted:
        return None
    ended = finish_reason(choice.finish_reason) == "stop"
    return Echo(tuple(found), followed, ended)


def finish_reason(said: str | None) -> Reason:
    if said in ("stop", "eos", "end_turn"):
        return "stop"
    return "length" if said == "length" else "other"


def _data(text: str, numbers: Sequence[int] | None = None) -> bytes:
    """Return the bytes of a token, or empty bytes if they are unknown."""
    if numbers is not None and all(0 <= number < 256 for number in numbers):
        data = bytes(numbers)
        # vLLM encodes the replacement character, which stands for a part of another character.
        return b"" if data == "\ufffd".encode() else data
    if _BYTES.fullmatch(text):
        return bytes.fromhex(text.removeprefix("bytes:").replace("\\x", ""))
    return b"" if "\ufffd" in text else text.encode("utf-8", "surrogatepass")


def _spelling(token: TopLogProb, spell: Spell) -> Spelling:
    """Return the bytes of a token, if the server or `spell` knows them."""
    id_ = _id_in(token.token)
    if id_ is not None:
        return spell(id_)
    if token.id is not None and token.bytes == []:
        return spell(token.id)
    return THE_END if token.token in END_NAMES else Spelling(_data(token.token, token.bytes))


def _id_in(name: str) -> int | None:
    """Return the id that vLLM reports instead of a token's text, or None."""
    found = _ID.fullmatch(name)
    return int(found[1]) if found else None


def _alternatives(tops: Sequence[TopLogProb], spell: Spell) -> tuple[Alternative, ...]:
    """Return the alternatives, the most probable first.

    Alternatives with the same bytes can't be told apart, so their probabilities are added.
    """
    merged: dict[bytes, Alternative] = {}
    for top in tops:
        data, ends = _spelling(top, spell)
        if data and math.isfinite(top.logprob):
            before, value = merged.get(data), min(top.logprob, 0.0)
            value = value if before is None else _sum(before.log_probability, value)
            id_ = top.id if top.id is not None else _id_in(top.token)
            merged[data] = Alternative(data, value, before.id if before else id_, ends)
    ordered = sorted(merged.values(), key=lambda each: (-each.log_probability, each.data))
    return tuple(ordered)


def _sum(one: float, other: float) -> float:
    """Return log(exp(one) + exp(other)), but at most 0."""
    high, low = max(one, other), min(one, other)
    return min(0.0, high + math.log1p(math.exp(low - high)))


def _finite(value: float) -> float | None:
    return min(value, 0.0) if math.isfinite(value) else None


def _at(values: Sequence[Any] | None, index: int) -> Any:
    return values[index] if values is not None and index < len(values) else None
