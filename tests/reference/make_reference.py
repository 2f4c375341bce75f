"""Make `expected.safetensors` and `expected.json`: what `transformers` says to the prompts below.

    python tests/reference/make_reference.py PATH/TO/SmolLM2-135M-Instruct.Q4_1.gguf

`transformers` reads the same GGUF file that tutor reads and computes in 32-bit floats, so the
numbers come from code that is not part of this project. The files contain, for every prompt, the
token ids, and at three positions (the last one included) the logits of the 256 most probable
tokens and of every 96th token of the vocabulary, and the logarithm of the sum of all
exponentials, which turns a logit into a probability. All 49,152 logits would make the file 30
times as large.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file

FOLDER = Path(__file__).parent

LONG = " ".join(
    f"On day {day} the ship sailed {day * 7 % 90 + 10} miles to the "
    f"{('north', 'east', 'south', 'west')[day % 4]}, and the cook served "
    f"{('beans', 'fish', 'rice', 'soup', 'bread')[day % 5]}."
    for day in range(1, 48)
)

PROMPTS = {
    "capital": "The capital of France is",
    "one token": "Hello",
    "fairy tale": "Once upon a time, in a small village by the sea, there lived",
    "proverb": "A stitch in time saves",
    "question": "Q: How many legs does a spider have?\nA:",
    "list": "The days of the week are Monday, Tuesday, Wednesday,",
    "python": "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "c": "#include <stdio.h>\n\nint main(void) {\n\tprintf(",
    "sql": "SELECT name, COUNT(*) FROM visits WHERE year = 2024 GROUP BY",
    "json": '{"name": "Ada", "age": 36, "languages": ["English", "',
    "digits": "3.14159265358979323846",
    "sum": "12 + 30 = 42\n17 + 25 = 42\n100 + 11 =",
    "years": "The years 1914, 1939 and 1969 are remembered for",
    "emoji": "I love pizza 🍕 and ice cream 🍦! My favourite animal is a 🐱",
    "joined emoji": "family: 👩‍👩‍👧‍👦 flag: 🏳️‍🌈",
    "french": "La tour Eiffel se trouve à",
    "german": "Übermäßig große Bäume wachsen",
    "russian": "Москва — столица",
    "chinese": "北京是中国的",
    "arabic": "القاهرة هي عاصمة",
    "hindi": "भारत की राजधानी",
    "spaces": "   three spaces before,\n\n\n three line ends,\t\ta tab twice   and",
    "contractions": "I'm sure they'll say it's what we've wanted; you'd think",
    "marks as text": "A turn begins with <|im_start|>user and ends with",
    "capitals": "THE QUICK BROWN FOX JUMPS OVER THE LAZY",
    "thousand tokens": LONG,
}
CHAT = {
    "chat": [{"role": "user", "content": "What is the capital of France?"}],
    "chat of several turns": [
        {"role": "system", "content": "You answer in one word."},
        {"role": "user", "content": "Name a color."},
        {"role": "assistant", "content": "Blue"},
        {"role": "user", "content": "Another one, please."},
    ],
}


def main(path: Path) -> None:
    arguments = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**arguments)
    model = transformers.AutoModelForCausalLM.from_pretrained(**arguments, dtype=torch.float32)
    prompts: list[dict[str, Any]] = []
    tensors: dict[str, torch.Tensor] = {}
    for name, text in PROMPTS.items():
        # marks in ordinary text stay text
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        prompts.append({"name": name, "text": text, "special": False, "ids": ids})
    for name, messages in CHAT.items():
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        prompts.append(
            {"name": name, "text": text, "special": True, "ids": ids, "messages": messages}
        )
    for number, prompt in enumerate(prompts):
        tensors |= expected(model, number, prompt["ids"])
    save_file(tensors, FOLDER / "expected.safetensors")
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    data = {"versions": versions, "prompts": prompts}
    (FOLDER / "expected.json").write_text(
        json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


@torch.inference_mode()
def expected(
    model: transformers.PreTrainedModel, number: int, ids: list[int]
) -> dict[str, torch.Tensor]:
    logits = model(torch.tensor([ids])).logits[0].float()
    positions = sorted({0, len(ids) // 2, len(ids) - 1})
    chosen = []
    for position in positions:
        row = logits[position]
        kept = torch.cat([row.topk(256).indices, torch.arange(0, len(row), 96)]).unique()
        chosen.append((position, kept, row[kept], row.logsumexp(0)))
    result = {}
    for position, kept, values, total in chosen:
        name = f"{number}.{position}"
        result[f"{name}.ids"] = kept.to(torch.int32)
        result[f"{name}.logits"] = values
        result[f"{name}.total"] = total
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
