"""The text of two views: a table of the models' results, and the scale ladder.

The ladder has one line for each model. It includes well-known models, with published numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.meter import meter
from tutor.labs.kit.columns import LOW, clipped, cursor, wrapped
from tutor.labs.kit.progress_line import time_left
from tutor.labs.scale.lab import BEST, QUANTITIES, Quantity, ladder
from tutor.language import _
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.scale.lab import State
    from tutor.labs.scale.questions import Reading
    from tutor.labs.scale.remote_reading import Glance
    from tutor.labs.scale.rungs import Rung
    from tutor.vendors.catalogue import RemoteModel

_NAME = 23
_FIGURE = 9
_DECADES = 26
"""The bars have a logarithmic scale that ends at 10 to the power of this number."""
_WIDEST_BAR = 52
_LABEL = 12
_COLUMN = 24
_NARROWEST = 12
_HIGH = 24
_ABOVE_GUESSES = 7
_METER = 20
_NOT_TOLD = _("not given")


class _Column(msgspec.Struct, frozen=True):
    """The cells of one model's column in the table.

    Attributes:
        costs: The surprisal in bits per byte, the surprisal in bits, the number of tokens, and the
            perplexity.
        hidden: The total probability of the tokens that a remote model doesn't report, or "".
        guesses: The most probable next tokens, with their probabilities.
    """

    name: str
    costs: tuple[str, str, str, str]
    entropy: str
    hidden: str
    guesses: tuple[tuple[bytes, float], ...]


def text_lines(state: State, width: int, height: int) -> list[Content]:
    """Return the text, its surprisal for each model, and each model's most probable next tokens."""
    low = height < LOW
    read = Content(visible(state.text.encode()).replace("␣", " ")).wrap(width)
    lines = [line.rstrip() for line in read][: 1 if low else 2 if height < _HIGH else 10]
    if len(read) > len(lines):
        lines[-1] = Content(clipped(lines[-1].plain, width - 1) + "…")
    if state.left_out:
        lines.append(
            Content.styled(
                _("Text too long: {bytes} cut off.").format(bytes=counted(state.left_out, "byte")),
                MUTED,
            )
        )
    if not low:
        lines.append(Content(""))
    if not state.readers:
        return [*lines, Content.styled(_("Processing the text…"), MUTED)]
    above = [*_other(state, width), *_from_server(state, width)]
    if low:
        return [*above, *_table(state, width, BEST), *lines]
    below = above or _waiting(state, width)
    columns = _ABOVE_GUESSES + (state.remote.glance is not None)
    rows = height - len(lines) - len(below) - columns
    return [*lines, *_table(state, width, max(1, min(BEST, rows))), *below]


def _table(state: State, width: int, guesses: int) -> list[Content]:
    """Return a table with a column for each model.

    The local models are sorted by size, and the remote model comes last. If the screen is too
    narrow, the first columns are left out.
    """
    columns = [_here(reading) for reading in state.readers]
    server, glance = state.remote.server, state.remote.glance
    if server is not None and glance is not None:
        columns.append(_there(server, glance))
    columns = columns[-max(1, (width - _LABEL) // _NARROWEST) :]
    size = min(_COLUMN, (width - _LABEL) // len(columns))
    labels = (_("bits/byte"), _("total bits"), _("tokens"), _("perplexity"))
    costs = zip(labels, *(column.costs for column in columns), strict=True)
    lines = [
        _row("", [figures.fit(column.name, size - 1).strip() for column in columns], size, "bold"),
        *(
            _row(label, values, size, "bold" if label == labels[0] else "")
            for label, *values in costs
        ),
        Content.styled(f"{_('next token'):<{_LABEL}}", MUTED),
        _row(_("entropy"), [column.entropy for column in columns], size),
    ]
    if any(column.hidden for column in columns):
        lines.append(_row(_("hidden"), [column.hidden for column in columns], size))
    return [*lines, *(_guesses(place, columns, size) for place in range(guesses))]


def _here(reading: Reading) -> _Column:
    guesses = tuple((guess.data, guess.probability) for guess in reading.best)
    entropy = _("{entropy:.2f} bits").format(entropy=reading.entropy)
    return _Column(safe(reading.name), _costs(reading), entropy, "", guesses)


def _there(server: RemoteModel, glance: Glance) -> _Column:
    """Return a remote model's column. The entropy in this column is a lower bound."""
    least, hidden = glance.least_entropy, glance.hidden
    guesses = tuple((each.data, each.probability) for each in glance.shown)
    entropy = _NOT_TOLD if least is None else _("≥ {least:.2f} bits").format(least=least)
    told = _NOT_TOLD if hidden is None else figures.percent(hidden)
    return _Column(safe(server.name), _costs(glance), entropy, told, guesses)


def _costs(read: Reading | Glance) -> tuple[str, str, str, str]:
    pieces, perplexity = read.pieces, read.perplexity
    return (
        _NOT_TOLD if read.bits_a_byte is None else f"{read.bits_a_byte:.3f}",
        _NOT_TOLD if read.bits is None else f"{read.bits:.1f}",
        _NOT_TOLD if pieces is None else figures.count(pieces),
        _NOT_TOLD if perplexity is None else f"{perplexity:{'.1f' if perplexity < 1e5 else '.1e'}}",
    )


def _guesses(place: int, columns: Sequence[_Column], size: int) -> Content:
    parts: list[tuple[str, str] | str] = [(f"{place + 1:>{_LABEL - 2}}  ", MUTED)]
    for column in columns:
        if place >= len(column.guesses):
            parts.append(" " * size)
            continue
        data, probability = column.guesses[place]
        token = figures.fit(visible(data) or "∅", size - 10)
        parts += [f" {token}", (f"{figures.percent(probability):>8} ", likely(probability))]
    return Content.assemble(*parts)


def _row(label: str, values: Sequence[str], size: int, style: str = "") -> Content:
    parts = [(f"{value:>{size - 1}} ", style) for value in values]
    return Content.assemble((f"{label:<{_LABEL}}", MUTED), *parts)


def _other(state: State, width: int) -> list[Content]:
    """Return lines with the progress of the added model, or the reason why it cannot be used."""
    name = f"{safe(state.other or '')}: "
    if state.refused:
        return _said(name, state.refused, NOT_YET, width)
    if state.other is None or "other" in state.readings:
        return []
    coming = state.coming
    said = Content.assemble(
        (name, "bold"), (_("waiting") if coming is None else coming.doing, MUTED)
    )
    if coming is None or not coming.total:
        return [said]
    far = f"  {coming.done / coming.total:>4.0%}{time_left(coming.seconds)}"
    bar = meter(coming.done / coming.total, min(_METER, width - len(far)))
    return [said, Content.assemble(bar, (far, MUTED))]


def _from_server(state: State, width: int) -> list[Content]:
    remote = state.remote
    if remote.server is None:
        return []
    name = f"{safe(remote.server.name)}: "
    if remote.refused:
        return _said(
            name,
            _("{refused} Press r to ask again.").format(refused=remote.refused),
            NOT_YET,
            width,
        )
    if remote.glance is None:
        doing = state.coming.doing if state.coming else _("waiting")
        return _said(name, doing, MUTED, width)
    return _said(name, _told(remote.glance), MUTED, width)


def _told(glance: Glance) -> str:
    if glance.silence:
        return _("the server returned no surprisal. {silence}").format(silence=glance.silence)
    if not glance.shown:
        return _("the model ended the text, and the server returned no probabilities.")
    shown = _("{tokens} shown, so the entropy is a lower bound (≥)").format(
        tokens=counted(len(glance.shown), "token")
    )
    return (
        f"{shown}."
        if glance.bits is not None
        else _("{shown}; the text's surprisal is unknown.").format(shown=shown)
    )


def _said(name: str, text: str, style: str, width: int) -> list[Content]:
    said = Content.assemble((name, "bold"), (safe(text), style))
    return wrapped(said, width)


def _waiting(state: State, width: int) -> list[Content]:
    if not state.complete:
        return [Content.styled(_("The other models are processing the text…"), MUTED)]
    if state.others and state.other is None:
        names = map(safe, state.others)
        said = figures.as_many_as_fit(_("Press o to add another model: "), names, width)
    elif state.readings["yours"] is None:
        said = _("Train a network in the training lab to add it here.")
    else:
        said = _("Models have different tokens, so compare bits/byte, not perplexity.")
    return [Content.styled(said, MUTED)]


def ladder_lines(state: State, width: int) -> list[Content]:
    """Return a line for each model, and the source of the selected model's numbers."""
    rungs = ladder(state)
    name = _NAME if width >= _NAME + 4 * _FIGURE else max(12, width - 2 - 2 * _FIGURE)
    quantity = QUANTITIES[state.quantity]
    two: tuple[Quantity, ...] = (QUANTITIES[0], quantity if state.quantity else "compute")
    shown = QUANTITIES if width >= _NAME + 4 * _FIGURE else two
    left = width - 2 - name - _FIGURE * len(shown) - 2
    bar = min(_WIDEST_BAR, left) if left >= 8 else 0
    heading: list[tuple[str, str] | str] = [(f"  {'':<{name}}", "")]
    for each in shown:
        style = "bold" if each == quantity else MUTED
        heading.append((f"{each.replace('parameters', 'weights'):>{_FIGURE}}", style))
    if bar:
        heading.append((f"  1 … 10^{_DECADES}", MUTED))
    return [
        Content.assemble(*heading),
        *(
            _rung(rung, place == state.rung, name, shown, quantity, bar)
            for place, rung in enumerate(rungs)
        ),
        Content(""),
        *_source(rungs[min(state.rung, len(rungs) - 1)], width),
    ]


def _rung(
    rung: Rung, here: bool, name: int, shown: Sequence[Quantity], quantity: Quantity, bar: int
) -> Content:
    parts: list[tuple[str, str] | str] = [
        cursor(here),
        (figures.fit(safe(rung.name), name - 1) + " ", "bold" if here else ""),
    ]
    for each in shown:
        text = _figure(rung, each)
        parts.append((f"{text:>{_FIGURE}}", "bold" if each == quantity else ""))
    value: float | None = getattr(rung, quantity)
    fraction = math.log10(value) / _DECADES if value else 0.0
    if bar:
        parts.append((f"  {bars.bar(fraction, bar)}", ACT if rung.here else MUTED))
    return Content.assemble(*parts)


def _figure(rung: Rung, quantity: Quantity) -> str:
    value: float | None = getattr(rung, quantity)
    if value is None:
        return _NOT_TOLD if rung.remote else "?"
    if quantity == "compute":
        return f">{value:.0e}" if rung.estimate else f"{value:.1e}"
    return _short(value)


def _short(value: float) -> str:
    """Format a number with three significant digits and k, M, B (10^9) or T (10^12)."""
    for power, sign in ((12, " T"), (9, " B"), (6, " M"), (3, " k")):
        if value >= 10**power:
            return f"{value / 10**power:.3g}{sign}"
    return f"{value:.0f}"


def _source(rung: Rung, width: int) -> list[Content]:
    says = _("remote") if rung.remote else _("local") if rung.here else _("published")
    says = _("estimate") if rung.estimate else says
    text = Content.assemble((f"{safe(rung.name)}, {says}: ", "bold"), rung.source)
    note = _(
        "Compute: 6 operations per weight per token (6ND). Published models: 2 bytes per weight."
    )
    return [*wrapped(text, width), *wrapped(Content.styled(note, MUTED), width)]
