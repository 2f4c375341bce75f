"""The keys that are the same everywhere, and the groups into which keys are sorted.

Each function has the same key on every screen and in every lab. The key line and the help screen
show keys in groups. A binding can declare its group. Otherwise, the group depends on the binding's
label, its action or its key.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding

MOVE = Binding.Group("Move")
DO = Binding.Group("Act")
VIEW = Binding.Group("View")
GO = Binding.Group("Go")
GROUPS = (MOVE, DO, VIEW, GO)
"""All groups, in the order in which they are shown."""


class CommonKey(NamedTuple):
    """A key that has the same function everywhere, with the labels that its bindings may have.

    A test checks that every binding with one of these labels uses this key.
    """

    key: str
    labels: tuple[str, ...]
    meaning: str
    group: Binding.Group = DO


COMMON_KEYS = (
    CommonKey("enter", (), "Open, accept, take or submit the selected item."),
    CommonKey("escape", ("back",), "Go back without losing anything.", GO),
    CommonKey("up, down, left, right", (), "Move the selection, or change the selected value."),
    CommonKey("tab", ("view",), "Go to the next view, link or field; Shift+Tab goes back.", VIEW),
    CommonKey("e", ("edit",), "Edit the text or prompt."),
    CommonKey("r", ("run", "stop"), "Run, or stop what is running."),
    CommonKey(
        "u", ("undo",), "Undo the last token, the last answer, a removal, or the reset of a lab."
    ),
    CommonKey("z", ("reset",), "Reset to the initial state."),
    CommonKey("s", ("new seed",), "Sample again with a new seed."),
    CommonKey("p, n", (), "Go to the previous or next item."),
    CommonKey("x", ("example",), "Load another example."),
    CommonKey("o", (), "Open another text or model."),
    CommonKey(
        "l", ("lab", "labs"), "Open the lab that belongs to the screen, or the list of labs.", GO
    ),
    CommonKey("a", ("add",), "Add an item or a server."),
    CommonKey("d", ("delete", "remove"), "Delete the selected item, or remove it from the list."),
    CommonKey("t", ("sampler",), "Change the sampler settings.", VIEW),
    CommonKey("m", ("mask",), "Switch the causal mask on or off."),
    CommonKey("ctrl+o", (), "Copy the text, the selected row or the answer."),
    CommonKey(
        "ctrl+p", ("commands",), "Find an action, screen, lesson, lab or term by its name.", GO
    ),
    CommonKey("ctrl+g", ("editor",), "In a text field, open the text in your own editor."),
    CommonKey("ctrl+s", ("save",), "Save."),
    CommonKey("g", ("goals",), "Show the task and all goals.", VIEW),
    CommonKey("y", ("retry",), "Retry after an engine failure."),
    CommonKey(
        "slash",
        ("search",),
        "Search the course; in the stepper, the vocabulary; in a list with a filter, the list.",
        GO,
    ),
    CommonKey("v", ("glossary",), "Open the glossary.", GO),
    CommonKey("question_mark", ("help",), "Explain every key on the screen.", GO),
)

ARROWS = "↑↓←→"
"""The arrow keys. In a list such as `LAB_KEYS`, this entry represents every pair of arrow keys."""

LAB_KEYS = ("y", "r", "e", ARROWS, "g", "tab", "enter", "s", "z", "u")
"""The keys that the key line of a lab shows first, from the most important to the least.

In this order, they mean: retry, run or stop, edit, move or change, goals, views, the main action of
the view, new seed, reset, and undo. The lab's other keys follow.
"""


def lab_keys(*own: str) -> tuple[str, ...]:
    """Return `LAB_KEYS` with a lab's own most important keys before new seed, reset and undo."""
    at = LAB_KEYS.index("s")
    return (*LAB_KEYS[:at], *own, *LAB_KEYS[at:])


_BY_LABEL = {label: common.group for common in COMMON_KEYS for label in common.labels}
_BY_KEY = {
    **dict.fromkeys(("up", "down", "left", "right", "pageup", "pagedown", "home", "end"), MOVE),
    **dict.fromkeys(("tab", "shift+tab"), VIEW),
    "escape": GO,
}
_BY_ACTION = {
    **dict.fromkeys(("next", "next_now", "leave_text", "more", "previous", "link"), MOVE),
    **dict.fromkeys(("take", "another"), DO),
    **dict.fromkeys(("next_view", "xray", "branches", "mode"), VIEW),
    **dict.fromkeys(("open", "quit", "quiz", "lab"), GO),
}


def group_of(binding: Binding) -> Binding.Group:
    """Return the group of a binding: the declared group or, if there is none, the best guess."""
    if binding.group is not None:
        return binding.group
    if (group := _BY_LABEL.get(binding.description)) is not None:
        return group
    action = binding.action.partition("(")[0].removeprefix("app.")
    if (group := _BY_ACTION.get(action)) is not None:
        return group
    return _BY_KEY.get(binding.key.split(",")[0], DO)
