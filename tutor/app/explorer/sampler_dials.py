"""The panel with the sampler settings, in the order in which they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.events import SetSampler
from tutor.app.explorer.panel import ListPanel
from tutor.app.widgets import figures
from tutor.app.widgets.selection import mark
from tutor.labs.kit.dials import DIALS, reading, turned
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, pair
from tutor.language import _
from tutor.lm.distribution import PLAIN, SamplerSettings

if TYPE_CHECKING:
    from tutor.labs.kit.dials import Dial
    from tutor.lm.distribution import Distribution


ORDER = _("temperature → top-k → top-p → min-p → draw")


class SamplerDials(ListPanel):
    """A panel in which the learner changes the sampler settings.

    The table is updated immediately.
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
            "z", "plain", "reset", tooltip="Reset the sampler to the model's own probabilities."
        ),
        Binding("escape", "close", "close", tooltip="Close the panel. The settings stay."),
    ]

    entries = DIALS
    _settings = PLAIN
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

    def lay_out(self) -> None:
        dials = [DIALS[self.chosen]] if self._compact else DIALS
        lines = [Content.assemble((_("applied in order  "), theme.MUTED), ORDER)]
        lines += [self._dial_line(dial) for dial in dials]
        lines.append(self._effect())
        self.show(lines)

    def action_turn(self, by: int) -> None:
        self._set(turned(self._settings, DIALS[self.chosen], by))

    def action_greedy(self) -> None:
        temperature = 1.0 if self._settings.greedy else 0.0
        self._set(msgspec.structs.replace(self._settings, temperature=temperature))

    def action_plain(self) -> None:
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
