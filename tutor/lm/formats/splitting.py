"""The rules by which byte-level tokenizers split a text before they merge pairs.

A GGUF file contains only the name of its rules, in `tokenizer.ggml.pre`. llama.cpp, which invented
the names, contains the rules themselves in `src/llama-vocab.cpp`. This module builds them from the
parts that most of them have in common: words, numbers, and the rest.

llama.cpp implements some rules in code instead of as regular expressions (`kimi-k2`, `afmoe`,
`gemma4`), and also has rules for models that are not language models, such as BERT. We omit both,
and also `deepseek-llm`, whose rules list thousands of letters.
"""

from __future__ import annotations

from tutor.errors import ModelUnsupported

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_DIGIT = r"\p{N}"  # each digit alone

_ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_WORD = f"{_ENDINGS}|{_LETTERS}"
_SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_SIGNS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
_REST = _SIGNS + _SPACES
_LLAMA3 = _WORD + r"|\p{N}{1,3}" + _REST
_QWEN2 = _WORD + r"|\p{N}" + _REST

# These words end where an uppercase letter follows a lowercase letter.
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_BEFORE = r"[^\r\n\p{L}\p{N}]?"
_CASED = (f"{_BEFORE}{_UPPER}*{_LOWER}+", f"{_BEFORE}{_UPPER}+{_LOWER}*")
_CASED_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*" + _SPACES
_CASED_WORD = "|".join(f"{word}{_ENDINGS}?" for word in _CASED)
_GPT4O = _CASED_WORD + r"|\p{N}{1,3}" + _CASED_REST
_TEKKEN = "|".join(_CASED) + r"|\p{N}" + _CASED_REST

# DeepSeek separates Chinese and Japanese characters from other letters, and treats combining marks
# as letters.
_KANA = r"[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
_DEEPSEEK = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"| ?[\p{P}\p{S}]+[\r\n]*" + _SPACES
)
_HAN_AND_HANGUL = r"[\u0800-\u9fa5\uac00-\ud7ff]+"

_WITHOUT_SPACES = r" ?[^(\s|.,!?…。，、।۔،)]+"
_FROM_THE_RIGHT = r"\d{1,3}(?=(?:\d{3})*\b)"  # 1234567 is split into 1 234 567

_SPLITS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling"): (_GPT2,),
    ("gigachat", "a.x-4.0", "mellum", "exaone4"): (_GPT2,),
    ("smollm", "starcoder", "refact", "command-r", "codeshell"): (_DIGIT, _GPT2),
    ("exaone", "minerva-7b", "mellum2"): (_DIGIT, _GPT2),
    ("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral"): (_LLAMA3,),
    ("midm-2.0", "lfm2", "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"): (_LLAMA3,),
    ("qwen2", "stablelm2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez"): (_QWEN2,),
    ("hunyuan", "solar-open", "grok-2"): (_QWEN2,),
    ("laguna",): (r"[^\n]+|[\n]+", _QWEN2),
    ("ufakzeka",): (_LETTERS + r"|\p{N}" + _REST,),
    ("minicpm5",): (r"\p{N}{1,3}", _WORD + r"|\p{N}+" + _REST),
    ("seed-coder",): (_WORD + r"|\p{N}| ?[^\s\p{L}\p{N}\r\n]+" + _SPACES,),
    ("bailingmoe", "bailingmoe2", "llada-moe"): (
        _WORD + r"|\p{N}" + _SIGNS + r"|\s*[\r\n]|\s+(?!\S)|\s+",
    ),
    ("qwen35",): (
        _ENDINGS
        + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
        + _SPACES,
    ),
    ("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"): (_GPT4O,),
    ("tiny_aya", "cohere2moe"): (_FROM_THE_RIGHT, _GPT4O),
    ("tekken",): (_TEKKEN,),
    ("deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"): (r"\p{N}{1,3}", _KANA, _DEEPSEEK),
    ("deepseek-coder",): (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _HAN_AND_HANGUL, _DIGIT),
    ("falcon",): (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, "[0-9][0-9][0-9]"),
    ("poro-chat", "bloom", "gpt3-finnish"): (_WITHOUT_SPACES,),
    ("viking",): (_WITHOUT_SPACES, _DIGIT),
    ("superbpe",): (r"\p{N}+", r"(?=(\d{3})+(?!\d))"),
    ("default",): (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]"),
}
"""Maps names to rules, which are sequences of regular expressions. Each expression splits the parts
that the earlier ones produced. Each match is a new part, and so is the text between two matches."""

_BY_NAME = {name: splits for names, splits in _SPLITS.items() for name in names}

_WHOLE_WORDS_AND_START = (
    *("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0"),
    *("lfm2", "tekken"),
)
_WHOLE_WORDS = (*_WHOLE_WORDS_AND_START, "minicpm5")


def splits(name: str) -> tuple[str, ...]:
    """Return the regular expressions of the rules `name`, in the order in which they are applied.

    Raises `ModelUnsupported` for an unknown name.
    """
    if name not in _BY_NAME:
        raise ModelUnsupported(
            f"the tokenizer's splitting rules {name!r:.60} are not supported.",
            f"Use a model with one of these rules: {', '.join(sorted(_BY_NAME))}.",
        )
    return _BY_NAME[name]


def keeps_whole_words(name: str) -> bool:
    """Return True if the rules `name` never split a word that is in the vocabulary.

    Such a word becomes one token even if no sequence of merges produces it.
    """
    return name in _WHOLE_WORDS


def begins_with_start(name: object) -> bool:
    """Return True if, under the rules `name`, texts begin with the start token by default."""
    return name in _WHOLE_WORDS_AND_START


def known_rules() -> tuple[str, ...]:
    """Return the names of all rules that this module can build."""
    return tuple(_BY_NAME)
