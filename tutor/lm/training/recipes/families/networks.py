"""The three families of Transformers, side by side: who reads what before it says something.

    encoder-only      text with blanks -> every position sees all others -> a word for each blank
    decoder-only      text so far -> every position sees those before it -> the next word
    encoder-decoder   text -> encoder -> what was read -\
                      text written so far -> decoder ----> cross-attention -> the next word

The decoder-only family is the network of `tutor.lm.network`. The other two are made of the same
blocks here: an encoder is that network without the causal mask, and a block that writes has, after
its attention to what it wrote, one more to what was read.

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
    """Reads a text at once, each position both sides of itself, and scores the vocabulary for
    every position: at a blank, that is what could stand there."""

    def mask(self, tokens: int, length: int, device: torch.device) -> None:
        """Return no mask: each position may look at all of them."""


class CrossAttention(nn.Module):
    """Each position of what is written asks (query); what was read offers keys and values. There
    is no mask, as all of it has been read, and no rotary embedding, as places in two texts are no
    distance apart: where a word stood, the encoder has to have said in its vector."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.head_size = config.head_size
        total = config.heads * config.head_size
        self.query = nn.Linear(config.width, total, bias=False)
        self.key_value = nn.Linear(config.width, 2 * total, bias=False)
        self.output = nn.Linear(total, config.width, bias=False)

    def forward(self, x: Tensor, read: Tensor, trace: Trace | None = None) -> Tensor:
        """`x` [..., T, width] is what is being written, `read` [..., S, width] what was read."""
        queries = self._by_head(self.query(x))  # [..., heads, T, head_size]
        keys, values = map(self._by_head, self.key_value(read).chunk(2, dim=-1))
        answers, weights = attend(queries, keys, values)  # weights [..., heads, T, S]
        if trace is not None:
            trace.attention.append(weights)
        output: Tensor = self.output(answers.transpose(-3, -2).flatten(-2))
        return output

    def _by_head(self, vectors: Tensor) -> Tensor:
        return vectors.unflatten(-1, (-1, self.head_size)).transpose(-3, -2)


class WritingBlock(nn.Module):
    """Attention to what was written, attention to what was read, then feed-forward."""

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
        read: Tensor,
        rotation: Tensor,
        mask: Tensor,
        trace: Trace | None = None,
        cross_trace: Trace | None = None,
    ) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation, mask, None, trace)
        x = x + self.cross_attention(self.cross_norm(x), read, cross_trace)
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x


class EncoderDecoder(nn.Module):
    """Reads one text with an encoder, and writes another that looks at it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.blocks = nn.ModuleList(WritingBlock(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon)

    def read(self, ids: Tensor, trace: Trace | None = None) -> Tensor:
        """What was read [..., S, width], of `ids` [..., S]."""
        read: Tensor = self.encoder(ids, None, trace)
        return read

    def forward(
        self,
        read: Tensor,
        written: Tensor,
        trace: Trace | None = None,
        cross_trace: Trace | None = None,
    ) -> Tensor:
        """The final vectors [..., T, width] of what is `written` [..., T] so far."""
        tokens = written.shape[-1]
        rotation = rotations(self.config, 0, tokens)
        mask = causal_mask(tokens, tokens, written.device)
        x = self.encoder.embedding(written)  # both texts are in the same words
        for block in self.blocks:
            x = block(x, read, rotation, mask, trace, cross_trace)
        final: Tensor = self.norm(x)
        return final

    def logits(self, hidden: Tensor) -> Tensor:
        return self.encoder.logits(hidden)


FamilyNetwork = Encoder | Transformer | EncoderDecoder
