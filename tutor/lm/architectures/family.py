"""Describe a model family: its settings, and the names of its tensors.

The settings are the fields of a model's config.json, with the names that `transformers` gives them.
The base class `Settings` contains the settings of Llama, and each family adds its own.
`tutor.lm.formats` reads a model's settings, and uses the family's names to find its tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.architectures.rope import RopeSettings, scaling
from tutor.lm.config import Config
from tutor.lm.formats.soundness import default_head_size, require_sizes, rotated_size

Activation = Literal["silu", "gelu", "gelu-tanh"]

_ACTIVATIONS: dict[str, Activation] = {
    "silu": "silu",
    "swish": "silu",
    "gelu": "gelu",
    "gelu_new": "gelu-tanh",
    "gelu_fast": "gelu-tanh",
    "gelu_pytorch_tanh": "gelu-tanh",
}

# The kinds of attention that a layer can have, named as in `layer_types`.
_LAYER_TYPES = ("full_attention", "sliding_attention")

_TOO_LARGE = 2**63
"""The first integer that does not fit into 64 bits. JSON has integers of any length."""

Changed = TypeVar("Changed", bound=msgspec.Struct)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a model, with the names and defaults of `transformers.LlamaConfig`."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    # Version 5 of transformers writes `rope_parameters` instead of `rope_theta` and `rope_scaling`.
    # If layers differ in their rotations, `rope_parameters` has the settings of each layer type.
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None
    partial_rotary_factor: float = 1.0

    def config(self) -> Config:
        """Return the network configuration that these settings describe.

        Raises `ModelUnsupported` or `ModelDamaged`.
        """
        size = self.head_dim or default_head_size(self.hidden_size, self.num_attention_heads)
        require_sizes(width=self.hidden_size, layers=self.num_hidden_layers, head_size=size)
        rope = self.rope()
        base = rope.rope_theta or self.rope_theta
        part = rope.partial_rotary_factor or self.partial_rotary_factor
        rotated = rotated_size(size, part)
        scaled = scaling(rope, base, rotated, self.max_position_embeddings)
        return Config(
            vocabulary_size=self.vocab_size,
            width=self.hidden_size,
            layers=self.num_hidden_layers,
            heads=self.num_attention_heads,
            key_value_heads=self.num_key_value_heads or self.num_attention_heads,
            head_size=size,
            hidden=self.intermediate_size,
            rope_base=base,
            norm_epsilon=self.rms_norm_eps,
            context=scaled.context,
            tied=self.tie_word_embeddings,
            rope_factors=scaled.factors,
            rope_magnitude=scaled.magnitude,
            rotary_size=None if rotated == size else rotated,
            query_key_value_bias=self.attention_bias,
            output_bias=self.attention_bias,
            feed_forward_bias=self.mlp_bias,
            activation=self.activation(),
        )

    def multipliers(self) -> dict[str, float]:
        """Return a factor for each part whose weights are scaled when they are loaded.

        Some families multiply a vector by a constant before or after a matrix multiplication.
        Multiplying the matrix by this constant has the same effect.
        """
        return {}

    def activation(self) -> Activation:
        """Return the activation function of the feed-forward network."""
        if self.hidden_act not in _ACTIVATIONS:
            raise ModelUnsupported(
                f"the activation function {self.hidden_act!r:.60} is not supported.",
                f"Use a model with one of these: {', '.join(_ACTIVATIONS)}.",
            )
        return _ACTIVATIONS[self.hidden_act]

    def rope(self, layer_type: str = "full_attention") -> RopeSettings:
        """Return the settings of the rotary embedding in layers of the type `layer_type`."""
        written = self.rope_parameters or self.rope_scaling or {}
        return converted(written.get(layer_type, written), RopeSettings)


LayerTypes = tuple[str, ...]


def windows(types: LayerTypes, window: int | None) -> tuple[int | None, ...]:
    """Return the window size of each layer, or None for full attention.

    `types` are the layer types in config.json. Raises `ModelUnsupported` for an unknown type.
    """
    if unknown := next((each for each in types if each not in _LAYER_TYPES), None):
        raise ModelUnsupported(
            f"layers of the type {unknown!r:.60} are not supported.",
            f"Use a model with these types of layers: {', '.join(_LAYER_TYPES)}.",
        )
    return tuple(window if each == "sliding_attention" else None for each in types)


def changed(config: Config, **fields: Any) -> Config:
    """Return a copy of the configuration with these fields replaced."""
    return msgspec.structs.replace(config, **fields)


Kind = TypeVar("Kind")


def converted(data: Any, kind: type[Kind]) -> Kind:
    """Convert parsed JSON to a struct of the type `kind`.

    Raises `ModelUnsupported` for an unknown setting, and `ModelDamaged` for an invalid value.
    """
    known = {each.encode_name for each in msgspec.structs.fields(kind)}  # type: ignore[arg-type]
    if isinstance(data, dict):
        require_known(data, known)
        data = {name: value for name, value in data.items() if name in known}
    try:
        found = msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ModelDamaged(f"config.json: {error}.") from error
    for name, value in msgspec.structs.asdict(found).items():  # type: ignore[arg-type]
        if isinstance(value, int) and not -_TOO_LARGE < value < _TOO_LARGE:
            raise ModelDamaged(f"config.json: the value of {name} has more than 64 bits.")
    return found


_WITHOUT_EFFECT = """
_attn_implementation_autoset _commit_hash _flash_attn_2_enabled _model_name_or_path _name_or_path
_sliding_window_pattern architectures attention_dropout attn_implementation attn_pdrop auto_map
bos_token_id cache_implementation chunk_size_feed_forward classifier_dropout dtype embd_pdrop
eos_token_id gradient_checkpointing hidden_dropout hidden_dropout_prob id2label initializer_range
is_decoder is_encoder_decoder is_llama_config keys_to_ignore_at_inference label2id max_length
model_name model_type n_ctx output_attentions output_hidden_states output_router_logits pad_token_id
pretraining_tp problem_type reorder_and_upcast_attn resid_pdrop return_dict router_aux_loss_coef
router_jitter_noise sep_token_id summary_activation summary_first_dropout summary_proj_to_labels
summary_type summary_use_proj task_specific_params torch_dtype transformers.js_config
transformers_version unk_token_id unsloth_fixed unsloth_version use_cache
"""
"""Settings that don't change what a network computes.

They concern training, the ids of special tokens, or the way in which `transformers` runs a model,
or they are metadata about the program that wrote the file.
"""

_IGNORED = frozenset(_WITHOUT_EFFECT.split())


def require_known(data: Mapping[str, Any], known: set[str]) -> None:
    """Raise `ModelUnsupported` for a setting that we don't know, unless it is switched off.

    Such a setting might change what the network computes, and the results would then be wrong.
    """
    for name, value in data.items():
        off = value is None or value is False or value in ("", [], {})
        if not off and name not in known and name not in _IGNORED:
            raise ModelUnsupported(
                f"config.json has the setting {name!r:.60}, which tutor does not know. "
                "The results could be wrong without it.",
                "Use another model, or ask us to support this one.",
            )


# Maps the part names of `tutor.lm.formats.source` to the names of these parts in `transformers`.
NAMES = {
    "embedding": "model.embed_tokens",
    "norm": "model.norm",
    "head": "lm_head",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "output": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
}


@dataclass(frozen=True)
class Family:
    """A model family: its settings, and how a model folder stores its tensors.

    `names` maps our part names to tensor names, in which `{}` stands for the number of an expert.
    `block` is the prefix of the names of a block's tensors. `prefixes` are the strings that a file
    can put before every name. `transposed` is True if the matrices of the blocks are stored as
    [inputs, outputs]. `interleaved` is True if one matrix contains the query, key and value rows of
    the first head, then the same rows of the second head, and so on. `norm_offset` is added to the
    stored weights of all norms.
    """

    settings: type[Settings] = Settings
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)
    block: str = "model.layers.{}."
    prefixes: tuple[str, ...] = ("",)
    transposed: bool = False
    interleaved: bool = False
    norm_offset: float = 0.0
