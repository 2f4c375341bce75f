"""The panel with the sampler settings, in the order in which they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.events import SetSampler, SetSteering
from tutor.app.explorer.panel import ListPanel
from tutor.app.widgets import figures
from tutor.app.widgets.selection import mark
from tutor.labs.kit.actions import cycled
from tutor.labs.kit.dials import DIALS, reading, turned
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, pair
from tutor.language import _
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.saved_steering import STRONGEST, Applied, SavedVector
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.kit.dials import Dial
    from tutor.lm.distribution import Distribution


ORDER = _("temperature → top-k → top-p → min-p → draw")


STEP = 0.25
"""The step by which the strength of the steering changes."""


class SamplerDials(ListPanel):
    """A panel in which the learner changes the sampler settings.

    Each change immediately updates the table.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "choose(*)", "setting", "Choose a setting."),
        *pair(LEFT_RIGHT, "turn(*)", "change", "Change the setting."),
        Binding(
            "g",
            "greedy",
            "greedy",
            tooltip="Always take the most probable token, or go back to sampling.",
        ),
        Binding(
            "z",
            "reset",
            "reset",
            tooltip="Reset the sampler settings, or the steering if its row is selected.",
        ),
        Binding("enter", "vector", "vector", tooltip="Use the next saved steering vector."),
        Binding("escape", "close", "close", tooltip="Close the panel. The settings stay."),
    ]

    entries: Sequence[object] = DIALS
    _settings = PLAIN
    _vectors: tuple[SavedVector, ...] = ()
    _vector: SavedVector | None = None
    """The vector in the steering row, or None if no vector is saved."""
    _strength = 0.0
    _distribution: Distribution | None = None
    _compact = False

    def update(
        self, settings: SamplerSettings, distribution: Distribution | None, *, compact: bool
    ) -> None:
        """Show these settings, and their effect on a distribution.

        If `compact` is true, only the selected setting is shown.
        """
        self._settings, self._distribution, self._compact = settings, distribution, compact
        self.lay_out()

    def steer(self, vectors: tuple[SavedVector, ...], applied: Applied | None) -> None:
        """Offer these saved vectors. `applied` is the vector that steers the network, if any."""
        if applied is not None:
            vectors = tuple(dict.fromkeys((*vectors, applied.vector)))
            self._vector, self._strength = applied.vector, applied.strength
        else:
            self._strength = 0.0
            if self._vector not in vectors:
                self._vector = vectors[0] if vectors else None
        self._vectors = vectors
        self.entries = (*DIALS, "steering") if vectors else DIALS
        self.chosen = min(self.chosen, len(self.entries) - 1)

    def action_choose(self, by: int) -> None:
        super().action_choose(by)
        self.refresh_bindings()

    @property
    def _on_steering(self) -> bool:
        """True if the steering row is selected."""
        return self.chosen == len(DIALS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "vector":
            return self._on_steering and len(self._vectors) > 1
        return super().check_action(action, parameters)

    def lay_out(self) -> None:
        rows = [self._dial_line(dial) for dial in DIALS]
        if self._vector is not None:
            rows.append(self._steering_line(self._vector))
        self.first = self.chosen if self._compact else 0
        if self._compact:
            rows = [rows[self.chosen]]
        lines = [Content.assemble((_("applied in order  "), theme.MUTED), ORDER)]
        self.show([*lines, *rows, self._effect()])

    def action_vector(self) -> None:
        """Select the next saved vector, and use it if the network is steered."""
        if self._vector is None:
            return
        self._vector = cycled(self._vectors, self._vector)
        self._steer(self._strength)

    def _steer(self, strength: float) -> None:
        before, self._strength = self._strength, min(max(strength, -STRONGEST), STRONGEST)
        self.lay_out()
        if self._vector is not None and (before or self._strength):
            applied = Applied(self._vector, self._strength) if self._strength else None
            self.send(SetSteering(applied))

    def action_turn(self, by: int) -> None:
        if self._on_steering:
            self._steer(self._strength + by * STEP)
            return
        self._set(turned(self._settings, DIALS[self.chosen], by))

    def action_greedy(self) -> None:
        temperature = 1.0 if self._settings.greedy else 0.0
        self._set(msgspec.structs.replace(self._settings, temperature=temperature))

    def action_reset(self) -> None:
        if self._on_steering:
            self._steer(0.0)
        else:
            self._set(PLAIN)

    def _set(self, settings: SamplerSettings) -> None:
        # The next key may be pressed before the controller has updated the settings.
        self._settings = settings
        self.lay_out()
        self.send(SetSampler(settings))

    def _dial_line(self, dial: Dial) -> Content:
        number = DIALS.index(dial)
        chosen = number == self.chosen
        value = reading(self._settings, dial)
        off = getattr(self._settings, dial.field) == dial.off
        idle = self._settings.greedy and number > 0
        return Content.assemble(
            mark(chosen),
            (f"{number + 1} ", theme.MUTED),
            (_(dial.name).ljust(13), "bold" if chosen else ""),
            ("◂ " if chosen else "  ", theme.ACT),
            (value.rjust(8), theme.MUTED if off or idle else "bold"),
            (" ▸  " if chosen else "    ", theme.ACT),
            (_("no effect while greedy") if idle else dial.does, theme.MUTED),
        )

    def _steering_line(self, vector: SavedVector) -> Content:
        chosen, on = self._on_steering, bool(self._strength)
        value = f"{self._strength:+.2f}" if on else _("off")
        said = _("{name}, added after layer {layer}").format(
            name=safe(vector.name), layer=vector.layer + 1
        )
        return Content.assemble(
            mark(chosen),
            (f"{len(DIALS) + 1} ", theme.MUTED),
            (_("steering").ljust(13), "bold" if chosen else ""),
            ("◂ " if chosen else "  ", theme.ACT),
            (value.rjust(8), "bold" if on else theme.MUTED),
            (" ▸  " if chosen else "    ", theme.ACT),
            (said, theme.MUTED),
        )

    def _effect(self) -> Content:
        found = self._distribution
        if found is None:
            return Content("")
        kept = _("{kept} of {vocabulary_size}").format(
            kept=figures.count(found.kept), vocabulary_size=figures.count(found.vocabulary_size)
        )
        if found.partial:
            kept = _("{kept} of {count} shown").format(kept=found.kept, count=len(found.rows))
        entropy = f"{figures.bits(found.entropy_bits)} → {figures.bits(found.sampled_entropy_bits)}"
        if self._compact:
            return Content(_("kept {kept}, {entropy} bits").format(kept=kept, entropy=entropy))
        return Content(
            _("{kept} tokens kept, entropy {entropy} bits").format(kept=kept, entropy=entropy)
        )
