"""The network: a Transformer decoder of the Llama family. Read it from top to bottom.

The input is a text of T tokens, given as T token ids. The output is T vectors, the final hidden
states. The output layer turns the last of them into a score for every token that could come next:

    ids [T] -> embedding [T, width] -> block -> block -> ... -> norm -> logits [T, vocabulary]

Every block adds something to the vectors: attention lets each position look at the positions before
it, and the feed-forward network then works on each position separately. The running sum is called
the residual stream. Every block reads it and adds to it.

In the shapes, `...` stands for the batch size if there are several texts of equal length (as in
training), and for nothing if there is a single text. All numbers are 32-bit floats. Training uses
this network directly. For a trained model, `tutor.lm.fast.network` replaces the modules with faster
modules that compute the same results.

Models of other families differ from Llama by a few lines, which the fields of `Config` switch on.
Skip these lines when you read this file for the first time: most of them belong to an `if` whose
condition is false for Llama. The page docs/models.md lists the differences and their reasons.

Sources: Vaswani et al. 2017 (attention), Touvron et al. 2023 (Llama), Zhang & Sennrich 2019
(RMSNorm), Su et al. 2021 (rotary embedding), Ainslie et al. 2023 (grouped-query attention), Shazeer
2020 (SwiGLU).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.lm.config import Config as Config
from tutor.lm.key_value_cache import KeyValueCache as KeyValueCache
from tutor.lm.key_value_cache import LayerCache as LayerCache

# --- Rotary position embedding (Su et al. 2021) ---


def rotations(config: Config, start: int, end: int, local: bool = False) -> Tensor:
    """Return the rotations of positions `start` to `end` - 1: [end - start, rotated / 2].

    Rotations are complex numbers of absolute value 1. At each position, pair i of a head's numbers
    is rotated by the angle position * base^(-2i / rotated): the first pairs rotate fast, like the
    second hand of a clock, and the last pairs slowly, like the hour hand. `rotated` is the number
    of a head's dimensions that are rotated: all of them in most models. With `local`, the rotations
    are for layers with a sliding window, which have a different base in some models.
    """
    return _rotation_table(config, 2 ** end.bit_length(), local)[start:end]


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # training can't use tensors created in inference mode
def _rotation_table(config: Config, length: int, local: bool) -> Tensor:
    """Return the rotations of the first `length` positions: [length, rotated / 2]."""
    pair = torch.arange(0, config.rotated, 2, dtype=torch.float64)
    base = config.local_rope_base if local and config.local_rope_base else config.rope_base
    speeds = base ** (-pair / config.rotated)  # radians per token
    if config.rope_factors is not None and not local:
        speeds = speeds / torch.tensor(config.rope_factors, dtype=torch.float64)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), speeds)
    lengths = torch.full_like(angles, 1.0 if local else config.rope_magnitude)
    return torch.polar(lengths, angles).to(torch.complex64)


def rotations_by_layer(
    config: Config, positions: range | Sequence[int], device: torch.device | str = "cpu"
) -> list[Tensor | None]:
    """Return each layer's rotations of the positions, or None for a layer without rotations."""

    def at(local: bool) -> Tensor:
        if isinstance(positions, range):
            return rotations(config, positions.start, positions.stop, local).to(device)
        return rotations(config, 0, max(positions) + 1, local)[torch.tensor(positions)].to(device)

    if config.learned_positions:
        return [None] * config.layers
    usual = at(local=False)
    if config.local_rope_base is None and not config.unrotated:  # as in Llama
        return [usual] * config.layers
    near = at(local=True)
    found = [near if config.local_base(layer) else usual for layer in range(config.layers)]
    return [None if layer in config.unrotated else each for layer, each in enumerate(found)]


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate each pair of numbers in x [..., T, head_size] by its angle.

    `rotation` is [T, rotated / 2]. The pair (a, b) is treated as the complex number a + ib;
    multiplying it by a complex number of absolute value 1 rotates it. The dot product of a rotated
    query and a rotated key depends on the distance between their positions, not on the positions
    themselves.
    """
    rotated = 2 * rotation.shape[-1]
    pairs = torch.view_as_complex(x[..., :rotated].unflatten(-1, (-1, 2)))  # [..., T, rotated / 2]
    turned = torch.view_as_real(pairs * rotation).flatten(-2)
    return turned if rotated == x.shape[-1] else torch.cat([turned, x[..., rotated:]], dim=-1)


# --- The layers ---


class RMSNorm(nn.Module):
    """Root mean square normalization (Zhang & Sennrich 2019).

    It scales each vector to a root mean square of 1 and then multiplies each number by a learned
    weight:

        y = x / sqrt(mean(x^2) + epsilon) * weight
    """

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        mean_square = x.square().mean(dim=-1, keepdim=True)  # [..., 1]
        return x * torch.rsqrt(mean_square + self.epsilon) * self.weight


def norm(config: Config, width: int | None = None) -> RMSNorm | nn.LayerNorm:
    """Return a new norm for vectors of length `width`, by default the width of the model."""
    if config.layer_norm:  # also subtracts the mean, and adds a learned vector (Ba et al. 2016)
        return nn.LayerNorm(width or config.width, config.norm_epsilon)
    return RMSNorm(width or config.width, config.norm_epsilon)


class Bias(nn.Module):
    """A learned vector that is added to the output of a matrix.

    It is separate from the matrix, so that the matrix alone remains a linear function.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


def causal_mask(tokens: int, length: int, device: torch.device) -> Tensor:
    """Return the causal mask for the last `tokens` of `length` positions: [tokens, length]."""
    # each position may attend to itself and to earlier positions
    allowed = torch.ones(tokens, length, dtype=torch.bool, device=device)
    return allowed.tril(length - tokens)


def within_window(mask: Tensor, window: int) -> Tensor:
    """Return a causal mask [tokens, length] with a sliding window (Beltagy et al. 2020).

    A position attends only to the last `window` positions, including itself.
    """
    tokens, length = mask.shape
    return mask.triu(length - tokens - window + 1)


def masks_by_layer(
    config: Config, tokens: int, length: int, device: torch.device
) -> list[Tensor | None]:
    """Return each layer's mask for the last `tokens` of `length` positions, or None for no mask."""

    def mask(window: int | None) -> Tensor | None:
        if window is not None and window >= length:
            window = None
        if tokens == 1 and window is None:  # a single token attends to all positions
            return None
        causal = causal_mask(tokens, length, device)
        return causal if window is None else within_window(causal, window)

    if not config.windows:
        return [mask(None)] * config.layers
    masks = {window: mask(window) for window in set(config.windows)}
    return [masks[window] for window in config.windows]


def attention_weights(
    q: Tensor, k: Tensor, mask: Tensor | None = None, cap: float | None = None
) -> Tensor:
    """Return softmax(q k^T / sqrt(head_size)): how much each query attends to each position.

    `q` is [..., heads, T, head_size], `k` [..., key_value_heads, length, head_size], and `mask` [T,
    length]. The weights are [..., heads, T, length]; each row sums to 1. With a `cap`, the scores
    stay between -cap and cap.
    """
    # repeat each key for all query heads that share it
    k = k.repeat_interleave(q.shape[-3] // k.shape[-3], dim=-3)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if cap is not None:
        scores = capped(scores, cap)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1)


def capped(scores: Tensor, cap: float) -> Tensor:
    """Return cap * tanh(scores / cap), which hardly changes scores much smaller than `cap`.

    This is known as soft-capping (Bello et al. 2016; Gemma Team 2024).
    """
    return cap * torch.tanh(scores / cap)


def attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, cap: float | None = None
) -> tuple[Tensor, Tensor]:
    """Return softmax(q k^T / sqrt(head_size)) v and the attention weights.

    Shapes are as in `attention_weights`; `v` has the shape of `k`. The output is
    [..., heads, T, head_size]. Source: Vaswani et al. 2017, section 3.2.1.
    """
    weights = attention_weights(q, k, mask, cap)
    v = v.repeat_interleave(q.shape[-3] // v.shape[-3], dim=-3)
    return weights @ v, weights


class Attention(nn.Module):
    """The layer that lets each position collect information from the positions before it.

    Each position asks a question, its query. This position and every earlier position describe
    their content with a key and provide it as a value. The output is an average of the values,
    weighted by how well each key matches the query. Several heads do this in parallel; groups of
    heads share keys and values (Ainslie et al. 2023).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.key_value_heads = config.heads, config.key_value_heads
        self.head_size, self.rotated = config.head_size, config.rotated
        # one matrix computes queries, keys and values, which are split afterwards
        rows = (self.heads + 2 * self.key_value_heads) * self.head_size
        self.query_key_value = nn.Linear(config.width, rows, bias=False)
        self.output = nn.Linear(self.heads * self.head_size, config.width, bias=False)
        self.query_key_value_bias = Bias(rows) if config.query_key_value_bias else None
        self.output_bias = Bias(config.width) if config.output_bias else None
        self.output_norm = norm(config) if config.norm_after else None
        self.query_norm = self.key_norm = None
        self.norm_per_head = config.query_key_norm == "head"
        if config.query_key_norm is not None:
            each, shared = (1, 1) if self.norm_per_head else (self.heads, self.key_value_heads)
            self.query_norm = norm(config, each * self.head_size)
            self.key_norm = norm(config, shared * self.head_size)
        self.score_cap = config.score_cap

    def forward(
        self,
        x: Tensor,
        rotation: Tensor | None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Return what attention adds to the residual stream: [..., T, width], the shape of `x`."""
        q, k, v = self.project(x)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        if cache is not None:
            k, v = cache.append(k, v)
        answers, weights = attend(q, k, v, mask, self.score_cap)  # [..., heads, T, head_size]
        if trace is not None:
            trace.attention.append(weights)
        return self.combine(answers.transpose(-3, -2).flatten(-2))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the queries, keys and values of `x` [..., T, width].

        Queries are [..., heads, T, head_size]; keys and values are
        [..., key_value_heads, T, head_size].
        """
        qkv = self.query_key_value(x).float()  # some kernels return 16-bit floats
        if self.query_key_value_bias is not None:
            qkv = self.query_key_value_bias(qkv)
        by_head = qkv.unflatten(-1, (-1, self.head_size)).transpose(-3, -2)
        q, k, v = by_head.split([self.heads, self.key_value_heads, self.key_value_heads], dim=-3)
        if self.query_norm is not None and self.key_norm is not None:
            q, k = self.normalized(self.query_norm, q), self.normalized(self.key_norm, k)
        return q, k, v

    def normalized(self, norm: nn.Module, x: Tensor) -> Tensor:
        """Normalize queries or keys [..., heads, T, head_size] (Henry et al. 2020).

        Some model families normalize each head's vector separately; others normalize the
        concatenated vectors of all heads.
        """
        if self.norm_per_head:
            alone: Tensor = norm(x)
            return alone
        together: Tensor = norm(x.transpose(-3, -2).flatten(-2))
        return together.unflatten(-1, (-1, self.head_size)).transpose(-3, -2)

    def combine(self, answers: Tensor) -> Tensor:
        """Return what the heads' outputs [..., T, heads * head_size] add to the residual stream.

        The output matrix mixes the outputs of the heads: [..., T, width].
        """
        output: Tensor = self.output(answers)
        if self.output_bias is not None:
            output = self.output_bias(output)
        if self.output_norm is not None:
            output = self.output_norm(output)
        return output


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,  # x * sigmoid(x)
    "gelu": F.gelu,  # x * the probability that a standard normal number is below x
    "gelu-tanh": partial(F.gelu, approximate="tanh"),  # almost the same, computed with tanh
}


class FeedForward(nn.Module):
    """The feed-forward network, in the form of SwiGLU: down(silu(gate(x)) * up(x)).

    The gate decides how much of each number in up(x) passes through. Source: Shazeer 2020. Other
    families have another activation function instead of silu, or no gate: down(gelu(up(x))).
    """

    def __init__(self, config: Config, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or config.hidden
        self.gated = config.gated
        self.activation = ACTIVATIONS[config.activation]
        rows = 2 * hidden if self.gated else hidden
        self.gate_up = nn.Linear(config.width, rows, bias=False)  # both matrices, or only `up`
        self.down = nn.Linear(hidden, config.width, bias=False)
        self.gate_up_bias = Bias(rows) if config.feed_forward_bias else None
        self.down_bias = Bias(config.width) if config.feed_forward_bias else None
        self.output_norm = norm(config) if config.norm_after else None

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.project(x)  # [..., T, hidden] each
        return self.combine(self.activation(gate) * up)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return gate(x) and up(x), or up(x) and 1 if there is no gate."""
        hidden = self.gate_up(x)
        if self.gate_up_bias is not None:
            hidden = self.gate_up_bias(hidden)
        if not self.gated:
            return hidden, 1.0
        gate, up = hidden.chunk(2, dim=-1)
        return gate, up

    def combine(self, activations: Tensor) -> Tensor:
        """Return what the neurons' activations [..., T, hidden] add to the residual stream."""
        output: Tensor = self.down(activations)
        if self.down_bias is not None:
            output = self.down_bias(output)
        if self.output_norm is not None:
            output = self.output_norm(output)
        return output


class MixtureOfExperts(nn.Module):
    """Several feed-forward networks, called experts, and a router that chooses some for each token.

    Only the chosen experts process a token's vector, so a network can have many more weights than
    it uses for one token. For each expert, the router computes a score from the vector, and softmax
    turns the scores into probabilities. The experts with the highest probabilities are chosen, and
    these probabilities are their weights. The output is the weighted sum of their outputs:

        y = sum over the chosen experts e of  weight_e * expert_e(x)

    Some families add a shared expert, which processes every token. Its weight is the sigmoid of a
    separate score. Sources: Shazeer et al. 2017, Jiang et al. 2024 (Mixtral), Dai et al. 2024
    (shared experts).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.used = config.experts_used
        self.normalized = config.normalized_experts
        self.router = nn.Linear(config.width, config.experts, bias=False)
        self.experts = nn.ModuleList(FeedForward(config) for _ in range(config.experts))
        self.shared = self.shared_router = None
        if config.shared_hidden:
            self.shared = FeedForward(config, config.shared_hidden)
            self.shared_router = nn.Linear(config.width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        chosen, weights = self.choose(self.router(x))  # [..., T, used] each
        output = torch.zeros_like(x)
        for expert in chosen.unique().tolist():
            here = chosen == expert  # [..., T, used]; a token chooses an expert at most once
            tokens = here.any(dim=-1)  # [..., T]: the tokens that are sent to this expert
            output[tokens] += weights[here][:, None] * self.experts[expert](x[tokens])
        if self.shared is not None and self.shared_router is not None:
            output = output + torch.sigmoid(self.shared_router(x)) * self.shared(x)
        return output

    def choose(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return the chosen experts and their weights, for the scores [..., experts] of the router.

        Both are [..., used], the highest weight first.
        """
        weights, chosen = scores.softmax(dim=-1).topk(self.used, dim=-1)
        if self.normalized:
            weights = weights / weights.sum(dim=-1, keepdim=True)
        return chosen, weights


class Block(nn.Module):
    """Attention, then a feed-forward network or a mixture of experts.

    Both take a normalized copy of the residual stream as their input, and add their output to the
    stream.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        # nn.Identity returns its input
        self.attention_norm = norm(config) if config.norm_before else nn.Identity()
        self.attention = Attention(config)
        self.feed_forward_norm = norm(config) if config.norm_before else nn.Identity()
        self.feed_forward = MixtureOfExperts(config) if config.experts else FeedForward(config)
        self.parallel = config.parallel

    def forward(
        self,
        x: Tensor,
        rotation: Tensor | None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        attended = x + self.attention(self.attention_norm(x), rotation, mask, cache, trace)
        fed = self.feed_forward(self.feed_forward_norm(x if self.parallel else attended))
        output: Tensor = attended + fed
        return output


class Transformer(nn.Module):
    """The whole network: embedding, blocks, final norm, and the output layer (`head`)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        # one vector for each token of the vocabulary; training starts from small random numbers
        table = torch.empty(config.vocabulary_size, config.width).uniform_(-0.05, 0.05)
        self.embedding = nn.Embedding(config.vocabulary_size, config.width, _weight=table)
        self.positions = None
        if config.learned_positions:
            self.positions = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = norm(config)
        self.head = nn.Linear(config.width, config.vocabulary_size, bias=False)
        if config.tied:
            self.head.weight = self.embedding.weight

    def forward(
        self, ids: Tensor, cache: KeyValueCache | None = None, trace: Trace | None = None
    ) -> Tensor:
        """Return the final hidden states [..., T, width] of the tokens `ids` [..., T].

        A cache belongs to a single text, so with a cache `ids` must be [T]. The new tokens follow
        the tokens in the cache and are added to it.
        """
        start = 0 if cache is None else cache.length
        tokens = ids.shape[-1]
        length = start + tokens
        layers = [None] * self.config.layers if cache is None else cache.layers(tokens)
        positions = range(start, length)
        x = self.embed(ids, positions)
        rotation = rotations_by_layer(self.config, positions, x.device)
        mask = self.masks(tokens, length, x.device)
        for block, *inputs in zip(self.blocks, rotation, mask, layers, strict=True):
            if trace is not None:
                trace.residuals.append(x)
            x = block(x, *inputs, trace)
        if trace is not None:
            trace.residuals.append(x)
        if cache is not None:
            cache.length = length
        final: Tensor = self.norm(x)
        return final

    def embed(self, ids: Tensor, positions: range | Sequence[int]) -> Tensor:
        """Return the residual stream before the first block, for tokens at the given positions.

        `ids` is [..., T], and the result [..., T, width].
        """
        x: Tensor = self.embedding(ids)
        if self.config.embedding_scale != 1:
            x = x * self.config.embedding_scale
        if self.positions is not None:
            x = x + self.positions(torch.tensor(positions, device=x.device))
        return x

    def masks(self, tokens: int, length: int, device: torch.device) -> list[Tensor | None]:
        """Return each layer's mask for the last `tokens` of `length` positions."""
        return masks_by_layer(self.config, tokens, length, device)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits [..., vocabulary] for final hidden states [..., width]."""
        scores: Tensor = self.head(hidden)
        if self.config.logit_cap is not None:
            scores = capped(scores, self.config.logit_cap)
        return scores

    def lens(self, residual: Tensor) -> Tensor:
        """Return the logits for the residual stream [..., width] between blocks.

        These are the logits [..., vocabulary] that the network would compute if it had no more
        blocks. This method is known as the "logit lens" (nostalgebraist 2020).
        """
        return self.logits(self.norm(residual))


class Trace:
    """A record of one forward pass.

    `residuals` contains the residual stream [..., T, width]: first the embedding, then the stream
    after each block. `attention` contains the attention weights [..., heads, T, length] of each
    block; each row sums to 1.
    """

    def __init__(self) -> None:
        self.residuals: list[Tensor] = []
        self.attention: list[Tensor] = []
