"""The keys of the explorer pane, in one place."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, pair

PANE_KEYS: list[BindingType] = [
    Binding("y", "do('retry')", "try again", tooltip="Start the engine again."),
    Binding("enter", "step", "step", tooltip="Take the token named beside “enter”."),
    Binding("space", "step", show=False),
    *(
        Binding(
            str(number),
            f"take({number})",
            "take",
            show=number == 1,
            key_display="1-9",
            tooltip="Take the token of this rank.",
        )
        for number in range(1, 10)
    ),
    *pair(UP_DOWN, "cursor(*)", "row", "Move to a row; Enter takes it."),
    *pair(LEFT_RIGHT, "focus_by(*)", "text", "Look at other tokens."),
    Binding("0", "focus_by(1000000)", show=False, tooltip="To the end of the text."),
    Binding("s", "search", "search", tooltip="Find any token and see its probability."),
    Binding("b", "do('back')", "back", tooltip="Take the last token away again."),
    Binding("backspace", "do('back')", show=False),
    Binding("r", "do('stop')", "stop reading", tooltip="Stop reading a long text; it is kept."),
    Binding("r", "do('run')", "run", tooltip="Let the model go on by itself; again: pause."),
    Binding("f", "do('fork')", "fork", tooltip="Start another branch from here."),
    Binding("w", "branches", "tree", tooltip="Switch to another branch, or remove one."),
    Binding("n", "do('seed')", "seed", tooltip="The same prompt with other luck in the draw."),
    Binding("e", "panel('editor')", "write", tooltip="Write another prompt, or the next message."),
    Binding(
        "o", "panel('recent')", "open", tooltip="Open a text that you had before, or a new one."
    ),
    Binding("t", "dials", "sampler", tooltip="Temperature, top-k, top-p, min-p, greedy."),
    Binding("x", "xray", "x-ray", tooltip="Attention and the layers, for the token in focus."),
    Binding("escape", "close_beside", "close", tooltip="Close the x-ray."),
    Binding("c", "mode('chat')", "chat", tooltip="Talk with the model; the text is kept."),
    Binding("c", "mode('text')", "text", tooltip="Plain text; the conversation is kept."),
    Binding(
        "m", "do('marks')", "marks", tooltip="Show or hide the chat template's special tokens."
    ),
]
