"""Write `splitting_reference.json`: how llama.cpp splits texts with each of its rules.

    python -m tests.lm.make_splitting_reference FOLDER

It needs the package `xllamacpp`, whose server it starts once for each name in
`tutor.lm.formats.splitting`. Each server runs a tiny model, whose vocabulary was trained without
any rules. So its tokens cross the ends of words, and differ as soon as the rules do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("splitting_reference.json")
LESSONS = Path(__file__).parents[2] / "lessons"
PORT = 8917

EXTRA = [
    "I'll say it's DON'T and we'd WE'VE I'M",
    "myVariableName HTTPServer iPhone McDonald's ÄrgerGroß",
    "1 12 123 1234 12345 123456 1234567 12345678",
    "price: $1,234,567.89 (50%) [x] {y} <z> a/b\\c",
    "a\n\nb\r\nc \n d  \t e\n   f   ",
    "中文和English混合，日本語のテキスト。한국어 텍스트!",
    "Ελληνικά, العربية، עברית। Русский… ไทย",
    "naïve café — “quoted” … – end",
    "x=y+z; a->b; !important #tag @name ~/path //comment /* c */",
    "`code` ^caret |pipe| ~tilde~ $dollar$ +plus+ <less>",
]

_SERVER = """
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.hostnames = sys.argv[1], ["127.0.0.1"]
parameters.port, parameters.n_ctx, parameters.n_parallel = int(sys.argv[2]), 64, 1
parameters.warmup = False
server = xllamacpp.Server(parameters)
sys.stdin.read()
"""


def texts() -> list[str]:
    from tests.lm.make_token_reference import TEXTS, random_texts

    return [*EXTRA, *TEXTS[:-1], *random_texts(20)]


def trained() -> tuple[list[str], list[str]]:
    """Return the tokens and the merges of a vocabulary that was trained without any rules."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=1400, initial_alphabet=alphabet, show_progress=False, special_tokens=["<s>"]
    )
    lesson = (LESSONS / "03-tokens.md").read_text(encoding="utf-8").splitlines()
    made.train_from_iterator([*lesson, *texts() * 4], trainer)
    model = json.loads(made.to_str())["model"]
    tokens = sorted(model["vocab"], key=lambda token: int(model["vocab"][token]))
    return tokens, [" ".join(pair) for pair in model["merges"]]


def write_gguf(path: Path, rules: str, tokens: list[str], merges: list[str]) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    width, heads, hidden = 32, 2, 32
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    for key, value in fields(rules, tokens, merges).items():
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        else:
            writer.add_string(key, value)
    shapes = {"token_embd": (len(tokens), width), "output_norm": (width,)}
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        shapes[f"blk.0.{name}"] = (width, width)
    shapes |= {"blk.0.attn_norm": (width,), "blk.0.ffn_norm": (width,)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", np.full(shape, 0.01, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def fields(rules: str, tokens: list[str], merges: list[str]) -> dict[str, Any]:
    """Return the metadata of the tokenizer."""
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": rules,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3] + [1] * (len(tokens) - 1),
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
    }


def tokenized(model: Path, all_texts: list[str]) -> list[list[int]]:
    """Start llama.cpp's server with a model, and return the ids of all texts."""
    command = [sys.executable, "-c", _SERVER, str(model), str(PORT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            return [_ask(server, text) for text in all_texts]
        finally:
            server.kill()


def _ask(server: subprocess.Popen[bytes], text: str) -> list[int]:
    data = json.dumps({"content": text, "add_special": False, "parse_special": False}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/tokenize", data, {"Content-Type": "application/json"}
    )
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("The server has ended.")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                ids: list[int] = json.load(answer)["tokens"]
                return ids
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server does not answer.")


def main(folder: Path, names: list[str]) -> None:
    tokens, merges = trained()
    by_ids: dict[str, tuple[list[str], list[list[int]]]] = {}
    for name in names:
        path = folder / "it.gguf"
        write_gguf(path, name, tokens, merges)
        ids = tokenized(path, texts())
        by_ids.setdefault(json.dumps(ids), ([], ids))[0].append(name)
        print(name, flush=True)
    found = {
        "merges": merges,
        "texts": texts(),
        "rules": [{"names": each, "ids": ids} for each, ids in by_ids.values()],
    }
    lines = json.dumps(found, ensure_ascii=True, separators=(",", ":")).replace("],[", "],\n[")
    FILE.write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
