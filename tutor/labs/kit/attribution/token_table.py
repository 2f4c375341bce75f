"""Draw a table that compares direct attribution with occlusion, token by token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.labs.kit.attribution.words import NUMBER, amount, signed
from tutor.labs.kit.columns import Cell, Room, around, cursor
from tutor.language import _
from tutor.lm.attribution import DISAGREE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tutor.lm.attribution import Occlusion
    from tutor.lm.distribution import Token

MARK = "≠"
"""The mark of a token about which direct attribution and occlusion disagree."""


def disagree(direct: float, lost: float) -> bool:
    """Return True if direct attribution and occlusion clearly disagree about a token."""
    return abs(direct - lost) >= DISAGREE


def legend() -> str:
    """Return a sentence that explains the mark."""
    return _("≠ The two differ by {logits} or more.").format(logits=DISAGREE)


class TokenEffects(NamedTuple):
    """The tokens of a text up to a position, and each token's effect on the target logit.

    `direct` contains the total contribution that all heads took from each token, in logits, or is
    None until it is computed. `lost` maps token indexes to the occlusions computed so far. The last
    token is never occluded.
    """

    tokens: Sequence[Token]
    direct: Sequence[float] | None
    lost: Mapping[int, Occlusion]


def token_lines(effects: TokenEffects, at: int, room: Room) -> list[Content]:
    """Draw a table with the direct attribution and the occlusion of the tokens around `at`."""
    place = max(3, len(str(len(effects.tokens))))
    name = max(8, min(18, room.width // 5))
    bar = max(0, (room.width - place - name - 2 * NUMBER - 10) // 2) if room.roomy else 0
    direct = effects.direct
    lost = {index: each.logits for index, each in effects.lost.items()}
    largest = max((*map(abs, direct or ()), *map(abs, lost.values())), default=0.0)
    column = NUMBER + 2 + bar
    heads, without = (
        (_("heads took from it"), _("lost without it")) if room.roomy else (_("direct"), _("lost"))
    )
    indent = " " * (2 + place + 2 + name)
    titles = (f"{heads:<{column}}", without) if room.roomy else (f"{heads:>8}  ", f"{without:>8}")
    lines = [Content.styled(f"{indent}{''.join(titles)}", MUTED)]
    for index in around(at, len(effects.tokens), room.height - 1):
        from_it = None if direct is None else direct[index]
        without_it = lost.get(index)
        differ = None not in (from_it, without_it) and disagree(from_it or 0.0, without_it or 0.0)
        last = index == len(effects.tokens) - 1
        lines.append(
            Content.assemble(
                cursor(index == at),
                (f"{index + 1:>{place}}  ", MUTED),
                figures.fit(figures.shown(effects.tokens[index]), name),
                *_token_amount(from_it, largest, bar, "…"),
                *_token_amount(without_it, largest, bar, "–" if last else "…"),
                (f" {MARK}" if differ else "", "bold"),
            )
        )
    return lines


def _token_amount(logits: float | None, largest: float, bar: int, unknown: str) -> list[Cell]:
    if logits is None:
        return [(f"{unknown:>{NUMBER}}  " + " " * bar, MUTED)]
    if bar < 3:
        return [f"{signed(logits):>{NUMBER}}  "]
    return amount(logits, largest, bar)
