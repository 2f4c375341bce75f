"""Describe the state of the anatomy lab in sentences, for plain mode."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tutor.labs.anatomy.precisions import PRECISIONS
from tutor.language import _
from tutor.plain.words import percent, quoted_text
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.anatomy.lab import Inventory, Part, State

HELP = {
    "move": _("Select another row of the view, or another tensor with the same role."),
    "toggle": _("Compare sizes in bytes or in parameters."),
    "run": _("Round all weights to the selected precision, compare the predictions, or stop."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return what the current view shows about the model's tensors."""
    inventory = state.inventory
    if inventory is None:
        return {}
    match state.view:
        case "roles":
            sizes = Counter[str]()
            for part in inventory.parts:
                sizes[part.role] += _size(state, part)
            return {
                "roles": list(_shares(state, sizes)),
                "tensor": list(_tensor(state, inventory)),
            }
        case "layers":
            return {"layer": list(_layer(state, inventory))}
        case "precision":
            return {
                "text": [_("Text: {text}").format(text=quoted_text(state.text))],
                "precision": list(_precisions(state)),
            }


def _size(state: State, part: Part) -> int:
    return part.nbytes if state.nbytes else part.count


def _shares(state: State, sizes: Counter[str]) -> Iterator[str]:
    """Yield sentences with the total size of the tensors in each role, the largest first."""
    unit = _("bytes") if state.nbytes else _("parameters")
    yield _("Total: {total:,} {unit}.").format(total=sizes.total(), unit=unit)
    for role, size in sizes.most_common():
        yield _("{role}: {size:,}, {share}.").format(
            role=role.capitalize(), size=size, share=percent(size / sizes.total())
        )


def _tensor(state: State, inventory: Inventory) -> Iterator[str]:
    at = state.looked_at
    assert at is not None
    part = inventory.parts[at]
    where = "" if part.layer is None else _(" of layer {layer}").format(layer=part.layer + 1)
    yield _(
        "Selected tensor: {role}{where}, {outputs:,} times {inputs:,}, stored as {form}."
    ).format(role=part.role, where=where, outputs=part.outputs, inputs=part.inputs, form=part.form)
    histogram = state.histograms.get(at)
    if histogram is None:
        return
    yield _("A typical weight is {typical:.4f}, and the largest is {largest:.3f}.").format(
        typical=histogram.typical, largest=histogram.largest
    )
    if histogram.typical:
        yield _("The largest is {ratio:.1f} times the typical weight.").format(
            ratio=histogram.largest / histogram.typical
        )


def _layer(state: State, inventory: Inventory) -> Iterator[str]:
    sizes = Counter[str]()
    for part in inventory.parts:
        if part.layer == state.layer:
            sizes[part.role] += _size(state, part)
    yield _("Layer {layer} of {count}.").format(layer=state.layer + 1, count=inventory.layers)
    yield from _shares(state, sizes)


def _precisions(state: State) -> Iterator[str]:
    for at, bits in enumerate(PRECISIONS):
        here = _(", selected") if at == state.precision else ""
        reading = state.reading(bits)
        if not reading.possible:
            said = _("not available on this machine or for this model")
        elif reading.result is None:
            blocks = counted(reading.done, "block")
            said = _("{blocks} computed").format(blocks=blocks) if reading.done else _("not run")
        else:
            said = _(
                "divergence {divergence:.3f} bits, same top token at {same} of positions"
            ).format(divergence=reading.result.divergence, same=percent(reading.result.same))
        yield _("{bits} bits{here}: {said}.").format(bits=bits, here=here, said=said)
