r"""Write `token_reference.json`: how two independent programs tokenize the same texts.

    python tests/lm/make_token_reference.py MODEL.gguf

`llama.cpp` splits text as the file says. `transformers` reads the vocabulary and the merges from
the file but not `tokenizer.ggml.pre`. It splits like GPT-2, which differs from SmolLM if several
white space characters come before a digit (often, as in "\\n\\n1."). Both results are stored.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

TEXTS = [
    "The capital of France is",
    "a",
    " ",
    "\n",
    "   ",
    "\n\n\n",
    "\t\tif x:\r\n\t\t\treturn",
    "Steps:\n\n1. Do this\n2. Do that\n\n10. Stop",
    "    1  22   333 4444.5555",
    "In 1999, 3.14159 was not 2,718,281.",
    "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n",
    'for (int i = 0; i < 10; ++i) { printf("%d\\n", i); }',
    "<|im_start|>user\nHello<|im_end|>",
    "don't they'll we've I'm you're he'd it's DON'T",
    "Ünïcödé façade naïve Straße İstanbul ﬁ",
    "Быть или не быть — вот в чём вопрос.",
    "吾輩は猫である。名前はまだ無い。",
    "안녕하세요 세계",
    "नमस्ते दुनिया १२३",
    "مرحبا بالعالم ١٢٣",
    "😀 👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷",
    "x² + ½ = Ⅷ ①",
    "e\u0301 vs \u00e9, a\u00a0b, a\u2028b, a\u200bb, \ufeffbom",
    "\x00\x01\x1b[31mred\x1b[0m\x7f",
    "https://example.org/a?b=c&d=%20#e",
    "snake_case camelCase SCREAMING_CASE kebab-case",
    "~!@#$%^&*()_+`-={}|[]\\:\";'<>?,./",
    "....  ,,,, ---- ==== ****",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "The " * 40,
]


def random_texts(count: int) -> list[str]:
    """Return random texts, with characters that are split in special ways."""
    chance = random.Random(1)
    pool = (
        "aeiou nthsrdl  \n\t'’\"0123456789.,!?<>|=+-_()é漢字नम١٢²½😀\u200d\u00a0ÄßİΣ\x00\x1b\r$^~"
    )
    return ["".join(chance.choices(pool, k=chance.randint(1, 60))) for _ in range(count)]


def main(model: Path) -> None:
    import llama_cpp
    import transformers

    llama = llama_cpp.Llama(str(model), vocab_only=True, verbose=False)
    hugging = transformers.AutoTokenizer.from_pretrained(model.parent, gguf_file=model.name)
    entries = [
        {
            "text": text,
            "llama.cpp": llama.tokenize(text.encode(), add_bos=False, special=False),
            "transformers": hugging(text, split_special_tokens=True).input_ids,
        }
        for text in [*TEXTS, *random_texts(170)]
    ]
    target = Path(__file__).with_name("token_reference.json")
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    target.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
