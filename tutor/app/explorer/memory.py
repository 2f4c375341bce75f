"""Keeps the state of one pane in the learner's progress: each lab has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer.state import FIRST_PROMPT, State

if TYPE_CHECKING:
    from tutor.app.explorer.state import Mode
    from tutor.course.lesson import Lab
    from tutor.learner.progress import Progress


class Memory:
    """Recalls and keeps a `State` under the name of a lab (or of none: the free stepper)."""

    def __init__(self, progress: Progress, lab: Lab | None, mode: Mode | None) -> None:
        self._progress = progress
        self._lab = lab
        self._mode: Mode | None = mode or ("chat" if lab and lab.kind == "chat" else None)
        self._name = f"explorer.{lab.id if lab else 'free'}"
        self._kept = ""

    @property
    def first_message(self) -> str:
        """What a conversation in this lab begins with; empty: what the learner writes."""
        return self._lab.prompt if self._lab and self._lab.kind == "chat" else ""

    def recall(self) -> State:
        """The state as it was left, or a fresh one."""
        setting = self._progress.setting(self._name)
        state = State.from_setting(setting)
        if state is None:
            lab = self._lab
            prompt = lab.prompt if lab and lab.kind != "chat" and lab.prompt else FIRST_PROMPT
            state = State(prompt)
        else:
            self._kept = str(setting)
        if self._mode is not None:
            state.mode = self._mode
        return state

    def keep(self, state: State) -> None:
        """Save the state if it changed. Raises `StoreError`."""
        setting = state.to_setting()
        if setting != self._kept:
            self._progress.save_setting(self._name, setting)
            self._kept = setting
