"""The methods of a session that look inside the network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import torch

from tutor.errors import TextError
from tutor.lm.attribution import MOST_REMOVED, Attribution, Occlusion
from tutor.lm.distribution import XRay, common_length
from tutor.lm.inspect.attribution import attribute, difference, from_tokens
from tutor.lm.inspect.xray import ATTENTION_BYTES, x_ray
from tutor.lm.language_model import LanguageModel
from tutor.lm.local_session import LocalSession
from tutor.lm.network import KeyValueCache

if TYPE_CHECKING:
    from torch import Tensor


class Inspectable(LocalSession):
    """A base class for sessions, with the methods that explain a prediction.

    A position is the index of a token, counted from 0. The methods explain what the model predicts
    after the token at a position. The target logit is the logit of `target` or, with `against`, the
    logit of `target` minus the logit of `against`. If `target` is None, the methods use the most
    probable next token. No method changes the session.
    """

    @property
    @abstractmethod
    def model(self) -> LanguageModel: ...

    @abstractmethod
    def fork(self, length: int) -> Inspectable: ...

    @abstractmethod
    def replace(self, ids: Sequence[int]) -> None: ...

    @abstractmethod
    def before(self, position: int) -> AbstractContextManager[KeyValueCache]:
        """Provide the cache of the first `position` tokens in a `with` block.

        The token at `position` can be processed again in the block, in inference mode.
        """

    def xray(self, position: int, layer: int = 0, neighbors: bool = True) -> XRay:
        """Return the attention and the logit lens of the token at `position`, counted from 0.

        The attention covers `layer` and, with `neighbors`, as many layers around it as fit into
        `ATTENTION_BYTES`.
        """
        ids = self._checked(position)
        following = ids[position + 1] if position + 1 < len(ids) else None
        with self.before(position) as before:
            room = ATTENTION_BYTES if neighbors else 0
            return x_ray(self.model, before, ids[position], following, layer, room)

    def attribution(
        self, position: int, target: int | None = None, against: int | None = None
    ) -> Attribution:
        """Split a logit after the token at `position` into contributions of the network's parts."""
        id_ = self._checked(position, target, against)[position]
        with self.before(position) as before:
            return attribute(self.model, before, id_, target, against)

    def sources(
        self,
        position: int,
        layer: int,
        head: int | None,
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[float, ...]:
        """Split the direct contribution of one head by the positions that it attends to.

        Returns a number for each token up to `position`. Except for rounding, the numbers add up to
        the head's contribution in `attribution`. If `head` is None, they are summed over all heads
        of the layer. Raises `TextError` if the head doesn't exist.
        """
        config = self.model.network.config
        if not (0 <= layer < config.layers and 0 <= (head or 0) < config.heads):
            raise TextError(
                f"There is no layer {layer}, head {head or 0}, counted from 0.",
                f"The model has {config.layers} layers with {config.heads} heads each.",
            )
        id_ = self._checked(position, target, against)[position]
        heads = range(config.heads) if head is None else (head,)
        pairs = [(layer, each) for each in heads]
        with self.before(position) as before:
            found = from_tokens(self.model, before, id_, pairs, target, against)
            logits = torch.stack([each.logits for each in found]).sum(dim=0)  # [T]
        return tuple(logits.tolist())

    def occlusion(
        self,
        position: int,
        indexes: Sequence[int],
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[Occlusion, ...]:
        """Remove one token at a time, and return how much the logit at `position` changes.

        `indexes` are the indices of the tokens to remove. Removing a token takes a forward pass
        over the tokens after it. Raises `TextError` if there are more than `MOST_REMOVED` indices,
        or if an index isn't less than `position`: the token at `position` can't be removed, because
        the model makes its prediction there.
        """
        if len(indexes) > MOST_REMOVED:
            raise TextError(
                f"{len(indexes)} tokens are too many to remove in one request.",
                f"Remove at most {MOST_REMOVED}.",
            )
        ids = self._checked(position, target, against)[: position + 1]
        logits = self.logits(position + 1).float()
        target = int(logits.argmax()) if target is None else target
        whole = difference(logits, target, against)
        found = []
        for index in indexes:
            if not 0 <= index < position:
                raise TextError(
                    f"Token {index} can't be removed: the prediction is made at "
                    f"position {position}.",
                    f"Remove a token before position {position}.",
                )
            without = self._logits([*ids[:index], *ids[index + 1 :]])
            found.append(
                Occlusion(
                    index=index,
                    token=self.model.tokenizer.token(ids[index]),
                    logits=whole - difference(without, target, against),
                    probability=float(without.softmax(dim=-1)[target]),
                )
            )
        return tuple(found)

    def _logits(self, ids: Sequence[int]) -> Tensor:
        """Return the logits [vocabulary] after the tokens `ids`.

        The tokens in the common prefix of `ids` and the session aren't processed again.
        """
        other = self.fork(max(1, common_length(ids, self.ids)))
        other.replace(ids)
        return other.logits(len(ids)).float()

    def _checked(self, position: int, *tokens: int | None) -> tuple[int, ...]:
        """Return the session's ids. Raises `TextError` for an invalid position or token."""
        if not 0 <= position < len(self.ids):
            raise TextError(f"There is no token {position} in a text of {len(self.ids)} tokens.")
        self._check_known(id_ for id_ in tokens if id_ is not None)
        return self.ids
