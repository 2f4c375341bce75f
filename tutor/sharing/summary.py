"""Describe a shared text and its tokens, for the HTML page and the Markdown file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tutor.language import _
from tutor.sharing.document import SharedDistribution, SharedStep
from tutor.text import counted, decoded, one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.lm.distribution import SamplerSettings
    from tutor.sharing.document import SharedAttribution, SharedText, SharedToken

HOW = {
    "prompt": _("part of the prompt"),
    "sampled": _("drawn by the model"),
    "chosen": _("chosen by the user"),
}
LEVELS = (0.5, 0.2, 0.05, 0.01, 0.0)
"""The lowest probabilities of the five levels of color, from likely to unlikely."""
_CONTRIBUTIONS = 10


class Place(msgspec.Struct, frozen=True):
    """A token of the text. `found` is the distribution from which it was chosen, if it is known."""

    number: int
    text: str
    step: SharedStep
    found: SharedDistribution | None

    @property
    def probability(self) -> float | None:
        bits = self.step.surprisal_bits
        return None if bits is None else 2.0**-bits

    @property
    def level(self) -> int | None:
        """The level of color, from 1 (likely) to 5 (unlikely), or None if it is unknown."""
        p = self.probability
        if p is None:
            return None
        return next((n for n, least in enumerate(LEVELS, 1) if p >= least), len(LEVELS))

    def facts(self) -> Iterator[str]:
        """Yield phrases about the token."""
        yield _("token {number}").format(number=self.number)
        yield HOW[self.step.how]
        if self.probability is not None:
            yield _("probability {percent}").format(percent=percent(self.probability))
            yield _("surprisal {bits:.2f} bits").format(bits=self.step.surprisal_bits)


def places(text: SharedText) -> list[Place]:
    """Return the tokens of the current branch."""
    found = {each.position: each for each in text.distributions}
    steps = text.current.tokens
    texts = decoded(step.data for step in steps)
    return [
        Place(index + 1, shown, step, found.get(index))
        for index, (shown, step) in enumerate(zip(texts, steps, strict=True))
    ]


def next_token(text: SharedText) -> SharedDistribution | None:
    """Return the distribution after the end of the text, if it is known."""
    end = len(text.current.tokens)
    return next((each for each in text.distributions if each.position == end), None)


def title(text: SharedText) -> str:
    """Return the beginning of the text on one line or, for a conversation, the model's name."""
    if text.mode == "chat":
        return _("A conversation with {model}").format(model=one_line(text.model.name))
    said = b"".join(step.data for step in text.current.tokens if not step.special)
    return one_line(said.decode("utf-8", "replace"), 80) or _("A text")


def facts(text: SharedText) -> Iterator[tuple[str, str]]:
    """Yield names and values that say how the numbers were computed."""
    model = text.model
    yield _("Model"), one_line(f"{model.name} ({model.host or model.format})")
    if model.sha256:
        yield _("SHA-256"), one_line(model.sha256)
    if model.kernel:
        yield _("Computed with"), one_line(f"{model.kernel}, {model.device}")
    yield _("Sampler"), sampler(text.sampler)
    yield _("Seed"), str(text.current.seed)
    size = counted(len(text.current.tokens), "token")
    focus = _("{size}, focus after token {position}").format(size=size, position=text.position)
    yield _("Length"), focus
    if len(text.branches) > 1:
        yield (
            _("Branch"),
            _("{branch}, one of {count}").format(branch=text.branch, count=len(text.branches)),
        )
    for each in text.interventions:
        name = _("Steered") if each.applied else _("Intervention")
        yield name, one_line(each.description or each.kind)
    if text.tutor:
        yield _("Saved by"), one_line(f"tutor {text.tutor}")


def sampler(settings: SamplerSettings) -> str:
    if settings.greedy:
        return _("greedy")
    parts = [f"temperature {settings.temperature:g}"]
    if settings.top_k:
        parts.append(f"top-k {settings.top_k}")
    if settings.top_p < 1:
        parts.append(f"top-p {settings.top_p:g}")
    if settings.min_p > 0:
        parts.append(f"min-p {settings.min_p:g}")
    return ", ".join(parts)


def about(found: SharedDistribution) -> str:
    """Return a sentence about a distribution."""
    parts = []
    if found.entropy_bits is not None:
        least = "" if found.vocabulary_size else _("at least ")
        parts.append(
            _("Entropy {least}{bits:.2f} bits.").format(least=least, bits=found.entropy_bits)
        )
    if found.vocabulary_size and found.kept < found.vocabulary_size:
        parts.append(
            _("The sampler keeps {kept} of {all}.").format(
                kept=f"{found.kept:,}", all=counted(found.vocabulary_size, "token")
            )
        )
    return " ".join(parts)


def contributions(found: SharedAttribution) -> Iterator[tuple[str, float]]:
    """Yield the largest contributions to a logit, with the names of their parts."""
    parts = [(_("embedding"), found.embedding)]
    for layer, heads in enumerate(found.heads, 1):
        parts += [
            (_("layer {layer}, head {head}").format(layer=layer, head=head), logits)
            for head, logits in enumerate(heads, 1)
        ]
    parts += [
        (_("layer {layer}, feed-forward network").format(layer=layer), logits)
        for layer, logits in enumerate(found.feed_forward, 1)
    ]
    if found.steering:
        parts.append((_("steering vector"), found.steering))
    yield from sorted(parts, key=lambda part: -abs(part[1]))[:_CONTRIBUTIONS]


def explained(found: SharedAttribution) -> str:
    """Return a sentence about what an attribution explains."""
    target = visible(found.target.data)
    if found.against is not None:
        target = _("{target} rather than {against}").format(
            target=target, against=visible(found.against.data)
        )
    return _(
        "Contributions to the logit of {target} after {position}: {logit:.2f} in total."
    ).format(target=target, position=counted(found.position, "token"), logit=found.logit)


def shown(token: SharedToken) -> str:
    """Return the text of a single token, with visible whitespace."""
    return visible(token.data)


def percent(probability: float | None) -> str:
    """Format a probability. Numbers above 0 and below 1 never become 0 or 100 %."""
    if probability is None:
        return "?"
    value = 100 * probability
    if 99.95 <= value < 100:
        return ">99.9 %"
    if 0 < value < 0.05:
        return f"{value:.1g} %"
    return f"{value:.1f} %"
