"""Define the values that a lesson quotes from the default model, or reveals after a prediction."""

from typing import Annotated, Literal

import msgspec

from tutor.course.questions.base import Sentence
from tutor.lm.distribution import SamplerSettings

Value = Literal["probability", "logit", "rank", "surprisal", "entropy", "tokens", "greedy", "kept"]

Prompt = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Sampler(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The sampler settings in a lesson file: `temperature`, `top-k`, `top-p` and `min-p`.

    They have the same meaning as in the app. By default, none of them has an effect.
    """

    temperature: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.0
    top_k: Annotated[int, msgspec.Meta(ge=0)] = 0
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    min_p: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0

    @property
    def settings(self) -> SamplerSettings:
        return SamplerSettings(self.temperature, self.top_k, self.top_p, self.min_p)


class ModelValue(Sampler, frozen=True, kw_only=True):
    """A number or text that the model computes.

    `value` names what the model computes:

    - `probability`, `logit`, `rank` or `surprisal` (in bits): a number for `token` after `prompt`
    - `entropy` (in bits) or `kept` (the number of tokens that the sampler keeps): a number for the
      distribution after `prompt`
    - `tokens`: the number of tokens in the prompt
    - `greedy`: the text that greedy decoding returns

    With `chat`, the prompt is a message in a conversation with the system prompt `system`.
    """

    value: Value
    prompt: Prompt
    token: Annotated[str, msgspec.Meta(max_length=60)] = ""
    chat: bool = False
    system: Annotated[str, msgspec.Meta(max_length=4000)] = ""

    def __post_init__(self) -> None:
        of_token = self.value in ("probability", "logit", "rank", "surprisal")
        if of_token != bool(self.token):
            raise ValueError(
                f"`value: {self.value}` {'needs' if of_token else 'does not use'} a `token`"
            )
        if self.system and not self.chat:
            raise ValueError("`system` only works with `chat: true`")


class Quoted(ModelValue, frozen=True, kw_only=True):
    """A number or text that a lesson quotes, with the data to compute it again.

    `says` must appear literally in the text of the screen.
    """

    says: Sentence
