"""The shared keys: each action has the same key on every screen and in every lab."""

from __future__ import annotations

from typing import NamedTuple


class CommonKey(NamedTuple):
    """A key, the labels that it may have on key lines, and its function.

    A test checks that every binding with one of these labels uses this key.
    """

    key: str
    labels: tuple[str, ...]
    meaning: str


COMMON_KEYS = (
    CommonKey("enter", (), "Open, accept, take or submit the selected item."),
    CommonKey("escape", ("back",), "Go back without losing anything."),
    CommonKey("up, down, left, right", (), "Move the selection, or change the selected value."),
    CommonKey("tab", (), "Go to the next view, link or field; Shift+Tab goes back."),
    CommonKey("e", ("edit",), "Edit the text or prompt."),
    CommonKey("r", ("run", "stop"), "Run, or stop what is running."),
    CommonKey("u", ("undo",), "Undo the last token or the last answer."),
    CommonKey("z", ("reset",), "Reset to the initial state."),
    CommonKey("s", ("new seed",), "Sample again with a new seed."),
    CommonKey("p, n", (), "Go to the previous or next item."),
    CommonKey("x", ("example", "next example"), "Load another example."),
    CommonKey("o", (), "Open another text or model."),
    CommonKey("l", ("lab", "labs"), "Open the lab of the screen, or the list of labs."),
    CommonKey("a", ("add",), "Add an item or a server."),
    CommonKey("d", ("delete", "remove"), "Delete or remove the selected item."),
    CommonKey("t", ("sampler",), "Change the sampler settings."),
    CommonKey("m", ("mask",), "Switch the causal mask on or off."),
    CommonKey("ctrl+s", ("save",), "Save."),
    CommonKey("g", ("goals",), "Show the task and all goals."),
    CommonKey("y", ("retry",), "Retry after an engine failure."),
    CommonKey("slash", ("search",), "Search the vocabulary (in the stepper) or the course."),
    CommonKey("v", ("glossary",), "Open the glossary."),
    CommonKey("question_mark", ("help",), "Explain every key on the screen."),
)
