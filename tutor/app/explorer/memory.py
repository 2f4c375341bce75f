"""Keeps the texts of one pane with the learner's progress: each lab has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer.state import FIRST_PROMPT, State
from tutor.learner.texts import OpenText, TextInfo

if TYPE_CHECKING:
    from tutor.app.explorer.state import Mode
    from tutor.course.lesson import Lab
    from tutor.learner.background import BackgroundProgress

PARTED = (
    "Another session has changed this text too. Yours goes on as a text of its own; o shows both."
)


class Memory:
    """Recalls and keeps a `State` at the place of a lab (or of none: the free stepper)."""

    def __init__(
        self,
        progress: BackgroundProgress,
        lab: Lab | None,
        mode: Mode | None,
        begin: State | None = None,
    ) -> None:
        """`begin` is a text from elsewhere that is open at first, beside those that are kept; it is
        kept too as soon as it is changed."""
        self._begin = begin
        self._texts = progress.texts
        self._lab = lab
        self._mode: Mode | None = mode or ("chat" if lab and lab.kind == "chat" else None)
        self._place = lab.id if lab else "free"
        self._open = OpenText(self._place)
        self._kept = b""

    @property
    def given(self) -> str | None:
        """The prompt that a lab gives; None outside of labs and in conversations."""
        return self._lab.prompt if self._lab and self._lab.kind != "chat" else None

    @property
    def first_message(self) -> str:
        """What a conversation in this lab begins with; empty: what the learner writes."""
        return self._lab.prompt if self._lab and self._lab.kind == "chat" else ""

    @property
    def open_id(self) -> str:
        """Id of the text that is open."""
        return self._open.id

    def recent(self) -> list[TextInfo]:
        """The texts that are kept, the one changed last first."""
        return self._texts.list(self._place)

    def recall(self) -> State:
        """The state to begin with, the one that was left, or a fresh one."""
        if self._begin is not None:
            self._kept = self._begin.to_bytes()
            return self._begin
        for info in self.recent():
            state = self.open(info)
            if state is not None:
                return state
        return self.fresh()

    def open(self, info: TextInfo) -> State | None:
        """The state of another text, which is open from now on; None where it cannot be read."""
        body = self._texts.read(info.id)
        state = State.from_bytes(body) if body is not None else None
        if state is None or body is None:
            return None
        self._open, self._kept = OpenText(self._place, info), body
        return self._in_mode(state)

    def fresh(self, mode: Mode = "text") -> State:
        """The state of a text that has not begun, which is open from now on."""
        self._open, self._kept = OpenText(self._place), b""
        lab = self._lab
        prompt = lab.prompt if lab and lab.kind != "chat" and lab.prompt else FIRST_PROMPT
        state = State(prompt, mode)
        if lab is not None:
            state.sampler = lab.sampler.settings
        return self._in_mode(state)

    def keep(self, state: State) -> str | None:
        """Save the state if it changed. Returns what there is to say about it, once. Raises
        `StoreError` where it can never be kept."""
        body = state.to_bytes()
        if body != self._kept:
            self._texts.save(self._open, body, title=state.title, tokens=state.length)
            self._kept = body
        if self._open.parted:
            self._open.parted = False
            return PARTED
        return None

    def star(self, info: TextInfo) -> None:
        """Star a text, or take its star away."""
        self._texts.star(info.id, not info.starred)

    def _in_mode(self, state: State) -> State:
        if self._mode is not None:
            state.mode, self._mode = self._mode, None
        return state
