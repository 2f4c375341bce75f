"""The model families that tutor supports, with one short module for each family.

Each family differs from Llama in a few lines. Its module describes the differences, and converts
the settings in a model's config.json to a `tutor.lm.config.Config`, which configures
`tutor.lm.network`. docs/models.md has a table of the differences.
"""

from __future__ import annotations

from tutor.lm.architectures.experts import MIXTRAL, OLMOE, QWEN2_MOE, QWEN3_MOE
from tutor.lm.architectures.family import Family
from tutor.lm.architectures.gemma import GEMMA, GEMMA2, GEMMA3
from tutor.lm.architectures.gpt2 import GPT2
from tutor.lm.architectures.gpt_neox import GPT_NEOX
from tutor.lm.architectures.granite import GRANITE
from tutor.lm.architectures.mistral import MISTRAL
from tutor.lm.architectures.olmo import OLMO2, OLMO3
from tutor.lm.architectures.phi3 import PHI3
from tutor.lm.architectures.qwen import QWEN2, QWEN3
from tutor.lm.architectures.smollm3 import SMOLLM3
from tutor.lm.architectures.stablelm import STABLELM

FAMILIES = {
    "LlamaForCausalLM": Family(),
    "MistralForCausalLM": MISTRAL,
    "Qwen2ForCausalLM": QWEN2,
    "Qwen3ForCausalLM": QWEN3,
    "SmolLM3ForCausalLM": SMOLLM3,
    "GraniteForCausalLM": GRANITE,
    "Phi3ForCausalLM": PHI3,
    "Olmo2ForCausalLM": OLMO2,
    "Olmo3ForCausalLM": OLMO3,
    "GemmaForCausalLM": GEMMA,
    "Gemma2ForCausalLM": GEMMA2,
    "Gemma3ForCausalLM": GEMMA3,
    "GPT2LMHeadModel": GPT2,
    "GPTNeoXForCausalLM": GPT_NEOX,
    "StableLmForCausalLM": STABLELM,
    "MixtralForCausalLM": MIXTRAL,
    "Qwen2MoeForCausalLM": QWEN2_MOE,
    "Qwen3MoeForCausalLM": QWEN3_MOE,
    "OlmoeForCausalLM": OLMOE,
}
"""Maps the names that `transformers` gives to architectures to model families."""
