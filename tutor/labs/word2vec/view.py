"""The view of the "Word vectors from scratch" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.plot import trend
from tutor.labs.kit.actions import MoveFocus
from tutor.labs.kit.columns import LOW, ROOMY, as_many_as_fit
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, ZOOM, Keys, key, pair, run_and_stop
from tutor.labs.kit.view import Offered
from tutor.labs.kit.words.groups import edit_words
from tutor.labs.kit.words.lines import cosine
from tutor.labs.kit.words.plot import Named, WordMapLabView, WordPlot, legend
from tutor.labs.word2vec.lab import State
from tutor.language import _
from tutor.text import counted, safe

_TREND = 12


class Word2VecView(WordMapLabView):
    """A view of the training progress, a map of the chosen words, and a word's neighbors."""

    BINDINGS: ClassVar[Keys] = [
        *run_and_stop("r", "run", _("Train the network."), _("Stop. You can continue later.")),
        *pair(P_N, "move_focus(*, 'word')", "word", "Choose the previous or next word."),
        *pair(LEFT_RIGHT, "move_focus(*, 'map')", "earlier maps", "Show an earlier or later map."),
        key("l", "latest", "latest", "Show the latest map."),
        *pair(ZOOM, "adjust(*, 'zoom')", "zoom", "Zoom in or out at the word in focus."),
        key("s", "choose(1, 'seed')", "new seed", "Restart training with a new seed."),
        key(
            "w",
            "choose(1, 'window')",
            "window",
            "Restart with a context window of 2, 5 or 10 words.",
        ),
        key("e", "edit", "edit", "Edit the words on the map."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "run": lambda state: not state.finished,
        "latest": lambda state: len(state.looks) > 1,
        "move_focus:map": lambda state: len(state.looks) > 1,
    }

    def runs(self, state: State) -> bool:
        return state.going

    def action_latest(self) -> None:
        self.did(MoveFocus(self.state.back, "map"))

    def action_edit(self) -> None:
        words = self.state.words
        text = words.written if words.own else ""
        label, sample = (
            _("Words on the map (; separates groups):"),
            "copper gold iron; wheat corn rice",
        )
        self.write("words", label, text, edit_words, self._known_words, sample)

    def _known_words(self, __: str) -> str:
        """Return examples of words that occur in the training text. Many other words don't."""
        state: State = self.state
        near = [word for word, __ in state.now.nearest] if state.now else []
        return _("Other words in the text: {items}.").format(items=", ".join(near)) if near else ""

    def draw(self, state: State) -> None:
        width, low = self.columns, self.size.height < LOW
        above = [_status(state, width)]
        if not low:
            above += [*_figures(state).wrap(width), *legend(state.words.groups).wrap(width)]
        below = [_nearest(state, width), _map_of(state)]
        if not (low and state.done):  # On a low screen, the map needs this row.
            above += _missing(state, width)
        self.put("#lines", above)
        self.put("#below", below[:1] if low else below)
        known, look = state.known, state.shown
        if look is None or len(look.points) != len(known):
            self.query_one(WordPlot).show([], 0, None, 1.0)
            return
        points = [
            Named(x, y, safe(word), group)
            for (x, y), (word, group) in zip(look.points, known, strict=True)
        ]
        words = [word for word, _ in known]
        focused = state.words.all[state.focus]
        focus = words.index(focused) if focused in words else -1
        center = look.points[focus] if focus >= 0 and state.zoom > 1 else None
        self.query_one(WordPlot).show(points, focus, center, state.zoom)


def _status(state: State, width: int) -> Content:
    """Return a line with the seed, the context window, and the progress of the run."""
    parts: list[tuple[str, str]] = [
        (_("  seed {seed}  window {window}").format(seed=state.seed, window=state.window), "bold")
    ]
    now = state.now
    if now is None:
        return Content.assemble(*parts, "  …")
    share = min(1.0, state.done / now.total)
    if state.finished:
        parts.append((_("   finished"), RIGHT))
    elif not state.going:
        parts.append((_("   paused") if state.done else _("   press r to train"), ACT))
    passed = (
        _("epoch {epoch} of {epochs}").format(epoch=now.epoch, epochs=now.epochs)
        if width >= ROOMY
        else ""
    )
    if state.done or passed:
        parts.append((f"   {passed}  {share:>4.0%}", ""))
    if state.speed and width >= ROOMY:
        parts.append(
            (_("   {speed} pairs/s").format(speed=figures.count(round(state.speed))), MUTED)
        )
        if state.going:
            left = (now.total - state.done) / state.speed
            parts.append((_("   about {left:.0f} s left").format(left=left), MUTED))
    return Content.assemble(*parts)


def _figures(state: State) -> Content:
    """Return lines with the loss and its trend, and how well the words form clusters."""
    parts: list[tuple[str, str]] = []
    if state.losses:
        losses = [loss for __, loss in state.losses]
        parts += [
            (_("  loss {losses:.2f} ").format(losses=losses[-1]), ""),
            (trend(losses, _TREND), "$likely-3"),
        ]
    found = state.clustering
    if found is not None:
        style, tick = (RIGHT, "✓") if found.clustered else ("", " ")
        parts.append(
            (
                _(" {tick}nearest in own group {together:>4.0%}").format(
                    tick=tick, together=found.together
                ),
                style,
            )
        )
        parts.append((_("  within {cosine}").format(cosine=cosine(found.within).strip()), MUTED))
        parts.append((_("  between {cosine}").format(cosine=cosine(found.between).strip()), MUTED))
    return Content.assemble(*parts)


def _missing(state: State, width: int) -> list[Content]:
    """Return a line with the chosen words that aren't on the map, if there are any."""
    parts = [counted(state.words.left_out, "word") + _(" left out")] if state.words.left_out else []
    if state.unknown:
        room = width - sum(len(part) + 5 for part in parts)
        parts.insert(
            0, figures.as_many_as_fit(_("not in the text: "), map(safe, state.unknown), room)
        )
    return [Content.styled("  " + "   ".join(parts), NOT_YET)] if parts else []


def _nearest(state: State, width: int) -> Content:
    """Return the nearest neighbors of the selected word that fit on a line."""
    word = safe(state.words.all[state.focus])
    if state.now is None or not state.fresh:
        return Content.assemble("  ", (word, "bold"), "  …")
    if not state.now.nearest:
        return Content.assemble("  ", (word, "bold"), (_("  is not in the text"), NOT_YET))
    count = figures.count(state.now.vocabulary)
    of = _("  nearest among {count} words: ").format(count=count) if width >= ROOMY else "  "
    lead = Content.assemble("  ", (word, "bold"), (of, MUTED))
    others = ([f"{safe(other)} {cosine(value).strip()}  "] for other, value in state.now.nearest)
    return Content.assemble(lead, *as_many_as_fit(others, width - lead.cell_length))


def _map_of(state: State) -> Content:
    if state.now is None or state.shown is None:
        return Content("")
    across, up = state.now.shares
    if state.back:
        after = figures.count(state.shown.done)
        which = _("{count} of {count2}").format(
            count=len(state.looks) - state.back, count2=len(state.looks)
        )
        return Content.styled(
            _("  map {which}, after {after} pairs").format(after=after, which=which), ACT
        )
    return Content.styled(
        _("  the map shows {across:.0%} of the variance").format(across=across + up), MUTED
    )


VIEW = Word2VecView
