"""Build a tokenizer from the metadata of a GGUF file.

A GGUF file contains the vocabulary, the type of each token, the merges (byte-level) or scores
(SentencePiece), and the name of the rules for splitting text before pairs are merged. The defaults
follow llama.cpp (`src/llama-vocab.cpp`), which defined the format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.formats.sentencepiece import Rules, Vocabulary, added_tokens, sentencepiece
from tutor.lm.formats.splitting import begins_with_start, keeps_whole_words, splits

_KINDS: dict[type, str] = {str: "strings", int: "whole numbers", float: "numbers"}
_LONGEST_TOKEN = 1024
"""The maximum number of characters in a token."""

Item = TypeVar("Item")


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
        scores = _list(fields, "tokenizer.ggml.scores", float)
        if len(scores) != len(tokens):
            raise ModelDamaged(f"there are {len(tokens)} tokens but {len(scores)} scores.")
        made = _sentencepiece(fields, Vocabulary(tokens, scores, kinds))
    else:
        raise ModelUnsupported(
            f"the tokenizer type {family!r:.60} is not supported.",
            "Use a model with a byte-level BPE or SentencePiece tokenizer.",
        )
    made.add_tokens(added_tokens(Vocabulary(tokens, [], kinds)))
    return made


def start_ids(fields: Mapping[str, Any]) -> list[int]:
    """Return the id of the "beginning of sequence" token, if the model expects this token."""
    without_rules = fields.get("tokenizer.ggml.model") == "llama"
    usual = without_rules or begins_with_start(fields.get("tokenizer.ggml.pre"))
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
    rules = splits(name)
    merges = _list(fields, "tokenizer.ggml.merges", str)
    made = _made(
        vocab={token: id_ for id_, token in enumerate(tokens)},
        merges=[_pair(merge) for merge in merges],
        ignore_merges=keeps_whole_words(name),
    )
    splitting = [pre_tokenizers.Split(Regex(split), "isolated") for split in rules]
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([*splitting, byte_level])
    made.decoder = decoders.ByteLevel()
    return made


def _sentencepiece(fields: Mapping[str, Any], vocabulary: Vocabulary) -> Tokenizer:
    """Return a SentencePiece tokenizer, which uses byte pair encoding as in llama.cpp."""
    rules = Rules(space_before=bool(fields.get("tokenizer.ggml.add_space_prefix", True)))
    return sentencepiece(vocabulary, rules)


def _made(**settings: Any) -> Tokenizer:
    try:
        return Tokenizer(models.BPE(**settings))
    except Exception as error:  # the library raises plain `Exception`
        raise ModelDamaged(f"the vocabulary and the merges don't match: {error}.") from error


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
