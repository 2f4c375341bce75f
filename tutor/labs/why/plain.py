"""Describe the state of the "Why this token?" lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.spoken import part as named
from tutor.language import _
from tutor.lm.attribution import DISAGREE
from tutor.plain.words import percent, token

if TYPE_CHECKING:
    from tutor.labs.why.lab import State
    from tutor.lm.attribution import Part

_MOST = 6

HELP = {
    "explain": _("Explain the logit of the selected next token."),
    "contrast": _("Compare with the logit of the selected next token, or stop comparing."),
    "show-head": _("Show which tokens the contribution of the selected head comes from."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the target logit, and about what the current view shows."""
    lines = {"text": [_("The text is: {text}").format(text=state.text)]}
    if state.candidates is None or state.explained is None:
        return lines
    lines["explained"] = [_explained(state)]
    if left_out := state.candidates.left_out:
        lines["explained"].append(_("Tokens left out: {count}.").format(count=left_out))
    match state.view:
        case "next":
            lines["next"] = _next(state)
        case "parts" | "map":
            lines["parts"] = _parts(state)
        case "head":
            lines["head"] = _head(state)
        case "tokens":
            lines["tokens"] = _tokens(state)
    return lines


def _explained(state: State) -> str:
    assert state.explained is not None
    if state.against is None:
        return _("The logit of {target} is {logit:.2f}.").format(
            target=token(state.explained), logit=state.logit
        )
    return _("The logit of {target} minus the logit of {against} is {logit:+.2f}.").format(
        target=token(state.explained), against=token(state.against), logit=state.logit
    )


def _next(state: State) -> list[str]:
    assert state.candidates is not None
    rows = state.candidates.rows
    first = max(0, min(state.row - _MOST // 2, len(rows) - _MOST))
    return [
        _("Row {row}: {token}, {probability}, logit {logit:.2f}{here}.").format(
            row=at + 1,
            token=token(rows[at].token),
            probability=percent(rows[at].probability),
            logit=rows[at].logit,
            here=_(", selected") if at == state.row else "",
        )
        for at in range(first, min(len(rows), first + _MOST))
    ]


def _parts(state: State) -> list[str]:
    ranking, selected = state.ranking, state.selected
    if selected is None:
        return []
    said = [_contribution(state, selected.part, _("Selected: "))]
    said.append(_("The parts that contribute most:"))
    return said + [_contribution(state, each.part) for each in ranking[:_MOST]]


def _contribution(state: State, part: Part, before: str = "") -> str:
    ranking = state.ranking
    rank = next(at for at, each in enumerate(ranking) if each.part == part)
    return _("{before}Rank {rank} of {count}: {part}, {logits:+.2f}.").format(
        before=before,
        rank=rank + 1,
        count=len(ranking),
        part=named(part),
        logits=ranking[rank].logits,
    )


def _head(state: State) -> list[str]:
    selected = state.selected
    if selected is None:
        return []
    said = [_contribution(state, selected.part)]
    if selected.part.head is None:
        return [*said, _("Only attention heads read information from other tokens.")]
    both = zip(state.attention(selected.part), state.from_tokens(selected.part), strict=True)
    for at, (attention, logits) in enumerate(both):
        said.append(
            _("Token {at}, {token}: attention {attention}, adds {logits:+.2f}.").format(
                at=at + 1,
                token=token(state.tokens[at]),
                attention=percent(attention),
                logits=logits,
            )
        )
    return said


def _tokens(state: State) -> list[str]:
    said = []
    for at, each in enumerate(state.tokens):
        removed, direct = state.removed.get(at), state.of_token(at)
        parts = [
            _("Token {at}, {token}").format(at=at + 1, token=token(each))
            + (_(", selected") if at == state.token else "")
        ]
        if removed is not None:
            parts.append(
                _("the logit loses {logits:+.2f} without it").format(logits=removed.logits)
            )
        if direct is not None:
            parts.append(_("all heads together take {logits:+.2f} from it").format(logits=direct))
        if removed and direct is not None and abs(removed.logits - direct) >= DISAGREE:
            parts.append(_("the two disagree"))
        said.append("; ".join(parts) + ".")
    return said
