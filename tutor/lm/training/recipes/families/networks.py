r"""The three families of Transformers, which differ in the positions that a position attends to.

    encoder-only      text with blanks -> every position sees all positions -> a word for each blank
    decoder-only      text so far -> every position sees earlier positions -> the next word
    encoder-decoder   text -> encoder -> final vectors --\
                      output so far -> decoder ------------> cross-attention -> the next word

The decoder-only family is the network of `tutor.lm.network`. The other two families consist of the
same modules. An encoder is the same network without the causal mask. A decoder block in an
encoder-decoder has a second attention layer, which attends to the encoder's output.

Sources: Devlin et al. 2018 (BERT, encoder-only), Radford et al. 2018 (GPT, decoder-only), Vaswani
et al. 2017 and Raffel et al. 2019 (T5, encoder-decoder).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tutor.lm.network import (
    Attention,
    Config,
    FeedForward,
    RMSNorm,
    Trace,
    Transformer,
    attend,
    causal_mask,
    rotations,
)


class Encoder(Transformer):
    """A Transformer in which every position attends to all positions.

    It computes logits at every position. At a blank, the logits predict the missing word.
    """

    def masks(self, tokens: int, length: int, device: torch.device) -> list[Tensor | None]:
        """Return None (no mask) for each layer, so every position attends to all positions."""
        return [None] * self.config.layers


class CrossAttention(nn.Module):
    """Cross-attention: the attention from the decoder's positions to the encoder's output.

    The queries come from the output so far, and the keys and values from the encoder's output.
    There is no mask, because the whole source is known. There is no rotary embedding either,
    because there is no distance between positions in two different texts: the encoder has to
    include the position of a word in the word's vector.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.head_size = config.head_size
        total = config.heads * config.head_size
        self.query = nn.Linear(config.width, total, bias=False)
        self.key_value = nn.Linear(config.width, 2 * total, bias=False)
        self.output = nn.Linear(total, config.width, bias=False)

    def forward(self, x: Tensor, encoded: Tensor, trace: Trace | None = None) -> Tensor:
        """Return what cross-attention adds to `x` [..., T, width].

        `encoded` [..., S, width] is the encoder's output.
        """
        queries = self._by_head(self.query(x))  # [..., heads, T, head_size]
        keys, values = map(self._by_head, self.key_value(encoded).chunk(2, dim=-1))
        answers, weights = attend(queries, keys, values)  # weights: [..., heads, T, S]
        if trace is not None:
            trace.attention.append(weights)
        output: Tensor = self.output(answers.transpose(-3, -2).flatten(-2))
        return output

    def _by_head(self, vectors: Tensor) -> Tensor:
        return vectors.unflatten(-1, (-1, self.head_size)).transpose(-3, -2)


class DecoderBlock(nn.Module):
    """A decoder block: self-attention, cross-attention to the source, and feed-forward network."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.norm_epsilon)
        self.attention = Attention(config)
        self.cross_norm = RMSNorm(config.width, config.norm_epsilon)
        self.cross_attention = CrossAttention(config)
        self.feed_forward_norm = RMSNorm(config.width, config.norm_epsilon)
        self.feed_forward = FeedForward(config)

    def forward(
        self,
        x: Tensor,
        encoded: Tensor,
        rotation: Tensor,
        mask: Tensor,
        trace: Trace | None = None,
        cross_trace: Trace | None = None,
    ) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation, mask, None, trace)
        x = x + self.cross_attention(self.cross_norm(x), encoded, cross_trace)
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x


class EncoderDecoder(nn.Module):
    """A Transformer that encodes a source text and generates another text from it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.blocks = nn.ModuleList(DecoderBlock(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon)

    def encode(self, ids: Tensor, trace: Trace | None = None) -> Tensor:
        """Return the encoder's output [..., S, width] for `ids` [..., S]."""
        encoded: Tensor = self.encoder(ids, None, trace)
        return encoded

    def forward(
        self,
        encoded: Tensor,
        written: Tensor,
        trace: Trace | None = None,
        cross_trace: Trace | None = None,
    ) -> Tensor:
        """Return the decoder's final hidden states [..., T, width].

        `written` [..., T] is the output so far.
        """
        tokens = written.shape[-1]
        rotation = rotations(self.config, 0, tokens)
        mask = causal_mask(tokens, tokens, written.device)
        x = self.encoder.embedding(written)  # source and output share a vocabulary
        for block in self.blocks:
            x = block(x, encoded, rotation, mask, trace, cross_trace)
        final: Tensor = self.norm(x)
        return final

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits [..., vocabulary] for the final hidden states [..., width]."""
        return self.encoder.logits(hidden)


FamilyNetwork = Encoder | Transformer | EncoderDecoder
