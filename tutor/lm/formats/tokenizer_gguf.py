"""Build a tokenizer from the metadata of a GGUF file.

A GGUF file contains the vocabulary, the type of each token, the merges (byte-level) or scores
(SentencePiece), and the name of the rules for splitting text before pairs are merged. The splitting
rules and defaults follow llama.cpp (`src/llama-vocab.cpp`), which defined the format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
)

from tutor.errors import ModelDamaged, ModelUnsupported

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORD = _ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _WORD + r"|\p{N}{1,3}" + _REST
_QWEN2 = _WORD + r"|\p{N}" + _REST  # each digit alone

# A word ends where a lowercase letter is followed by an uppercase one.
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_BEFORE = r"[^\r\n\p{L}\p{N}]?"
_CASED = (f"{_BEFORE}{_UPPER}*{_LOWER}+", f"{_BEFORE}{_UPPER}+{_LOWER}*")
_CASED_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT4O = "|".join(f"{word}{_ENDINGS}?" for word in _CASED) + r"|\p{N}{1,3}" + _CASED_REST
_TEKKEN = "|".join(_CASED) + r"|\p{N}" + _CASED_REST
# Maps the names in `tokenizer.ggml.pre` to rules for splitting text. Each rule is a sequence of
# regular expressions that are applied one after another.
_SPLITS = {
    "gpt-2": (_GPT2,),
    "smollm": (r"\p{N}", _GPT2),
    "phi-2": (_GPT2,),
    "olmo": (_GPT2,),
    "refact": (r"\p{N}", _GPT2),
    "starcoder": (r"\p{N}", _GPT2),
    "llama-bpe": (_LLAMA3,),
    "llama3": (_LLAMA3,),
    "llama-v3": (_LLAMA3,),
    "dbrx": (_LLAMA3,),
    "smaug-bpe": (_LLAMA3,),
    "qwen2": (_QWEN2,),
    "stablelm2": (_QWEN2,),
    "deepseek-r1-qwen": (_QWEN2,),
    "gpt-4o": (_GPT4O,),
    "tekken": (_TEKKEN,),
    "default": (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]"),
}

# With these rules, a text begins with the "beginning of sequence" token, and a word that is a token
# is never split.
_LIKE_LLAMA3 = ("llama-bpe", "llama3", "llama-v3", "tekken")

_KINDS: dict[type, str] = {str: "strings", int: "whole numbers", float: "numbers"}
_LONGEST_TOKEN = 1024
"""The maximum number of characters in a token."""

Item = TypeVar("Item")

# `tokenizer.ggml.token_type`
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED = 1, 2, 3, 4


def backend(fields: Mapping[str, Any]) -> Tokenizer:
    """Build a tokenizer of the `tokenizers` library from the metadata.

    Raises `ModelUnsupported` for an unknown tokenizer type or unknown splitting rules, and
    `ModelDamaged` for contradictory metadata.
    """
    family = _required(fields, "tokenizer.ggml.model")
    tokens = _list(fields, "tokenizer.ggml.tokens", str)
    kinds = _list(fields, "tokenizer.ggml.token_type", int)
    if longest := next((token for token in tokens if len(token) > _LONGEST_TOKEN), None):
        raise ModelDamaged(
            f"the tokenizer has a token with {len(longest):,} characters, which is too long."
        )
    if len(kinds) != len(tokens):
        raise ModelDamaged(f"there are {len(tokens)} tokens but {len(kinds)} token types.")
    if family == "gpt2":
        made = _byte_level(fields, tokens)
    elif family == "llama":
        made = _sentencepiece(fields, tokens, kinds)
    else:
        raise ModelUnsupported(
            f"the tokenizer type {family!r:.60} is not supported.",
            "Use a model with a byte-level BPE or SentencePiece tokenizer.",
        )
    made.add_tokens(_added(tokens, kinds))
    return made


def start_ids(fields: Mapping[str, Any]) -> list[int]:
    """Return the id of the "beginning of sequence" token, if the model expects this token."""
    usual = (
        fields.get("tokenizer.ggml.model") == "llama"
        or fields.get("tokenizer.ggml.pre") in _LIKE_LLAMA3
    )
    wanted = fields.get("tokenizer.ggml.add_bos_token", usual)
    return _ids(fields, "bos_token_id") if wanted else []


def end_ids(fields: Mapping[str, Any]) -> list[int]:
    """Return the ids of the tokens that end a text or a message, if the file lists them."""
    return _ids(fields, "eos_token_id", "eot_token_id", "eom_token_id")


def _ids(fields: Mapping[str, Any], *names: str) -> list[int]:
    """Return the token ids stored in the metadata fields `names`. Missing fields are ignored."""
    count = len(_list(fields, "tokenizer.ggml.tokens", str))
    found = []
    for key in (f"tokenizer.ggml.{name}" for name in names):
        id_ = fields.get(key)
        if id_ is None:
            continue
        if type(id_) is not int or not 0 <= id_ < count:
            raise ModelDamaged(f"the field {key} is not one of the {count:,} token ids.")
        found.append(id_)
    return found


def _byte_level(fields: Mapping[str, Any], tokens: Sequence[str]) -> Tokenizer:
    name = str(fields.get("tokenizer.ggml.pre", "default"))
    if name not in _SPLITS:
        raise ModelUnsupported(
            f"the tokenizer's splitting rules {name!r:.60} are not supported.",
            f"Use a model with one of these rules: {', '.join(sorted(_SPLITS))}.",
        )
    merges = _list(fields, "tokenizer.ggml.merges", str)
    made = _made(
        vocab={token: id_ for id_, token in enumerate(tokens)},
        merges=[_pair(merge) for merge in merges],
        ignore_merges=name in _LIKE_LLAMA3,
    )
    splits = [pre_tokenizers.Split(Regex(split), "isolated") for split in _SPLITS[name]]
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([*splits, byte_level])
    made.decoder = decoders.ByteLevel()
    return made


def _sentencepiece(
    fields: Mapping[str, Any], tokens: Sequence[str], kinds: Sequence[int]
) -> Tokenizer:
    """Return a SentencePiece tokenizer.

    SentencePiece merges the pair that forms the token with the highest score. Sorting all possible
    pairs by this score therefore gives an equivalent list of merges.
    """
    scores = _list(fields, "tokenizer.ggml.scores", float)
    if len(scores) != len(tokens):
        raise ModelDamaged(f"there are {len(tokens)} tokens but {len(scores)} scores.")
    vocab = {token: id_ for id_, token in enumerate(tokens)}
    joined = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _NORMAL]
    joined.sort(key=lambda token: -scores[vocab[token]])
    merges = [
        pair
        for token in joined
        for pair in ((token[:cut], token[cut:]) for cut in range(1, len(token)))
        if pair[0] in vocab and pair[1] in vocab
    ]
    unknown = next(
        (token for token, kind in zip(tokens, kinds, strict=True) if kind == _UNKNOWN), None
    )
    made = _made(vocab=vocab, merges=merges, byte_fallback=True, fuse_unk=True, unk_token=unknown)
    prefix = fields.get("tokenizer.ggml.add_space_prefix", True)
    space = normalizers.Replace(" ", "▁")
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), space]) if prefix else space
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return made


def _made(**settings: Any) -> Tokenizer:
    try:
        return Tokenizer(models.BPE(**settings))
    except Exception as error:  # the library has no exception class of its own
        raise ModelDamaged(f"the vocabulary and the merges don't match: {error}.") from error


def _added(tokens: Sequence[str], kinds: Sequence[int]) -> list[AddedToken]:
    """Return the tokens that are recognized before merging: special and user-defined ones."""
    return [
        AddedToken(token, special=kind != _USER_DEFINED, normalized=False)
        for token, kind in zip(tokens, kinds, strict=True)
        if kind in (_UNKNOWN, _CONTROL, _USER_DEFINED)
    ]


def _pair(merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    return left, right


def _required(fields: Mapping[str, Any], key: str) -> Any:
    if key not in fields:
        raise ModelDamaged(f"the field {key} is missing.")
    return fields[key]


def _list(fields: Mapping[str, Any], key: str, kind: type[Item]) -> list[Item]:
    found = _required(fields, key)
    if not isinstance(found, list) or any(type(item) is not kind for item in found):
        raise ModelDamaged(f"the field {key} is not a list of {_KINDS[kind]}.")
    return found
