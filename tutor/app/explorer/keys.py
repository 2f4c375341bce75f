"""The key bindings of the explorer pane."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tutor.app.explorer.chat.keys import ANSWER_KEYS, NEW_CHAT_EARLY, READING_KEYS, SUGGESTION_KEYS
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, key, pair

SHARE = Binding(
    "ctrl+s",
    "share",
    "save",
    show=False,
    tooltip="Save the text with its distributions as an HTML, Markdown, SVG or JSON file.",
)

PANE_KEYS: list[BindingType] = [
    Binding("y", "do('retry')", "retry", tooltip="Restart the engine."),
    Binding(
        "enter",
        "step",
        "step",
        tooltip="Take the token next to “enter”: ◆, drawn at random, or the row you chose.",
    ),
    Binding("space", "step", show=False),
    *pair(UP_DOWN, "cursor(*)", "row", "Move to another row. Enter takes its token."),
    *SUGGESTION_KEYS,
    *ANSWER_KEYS,
    *(
        Binding(
            str(number),
            f"take({number})",
            "take",
            show=number == 1,
            key_display="1-9",
            tooltip="Take the token with this rank.",
        )
        for number in range(1, 10)
    ),
    *pair(
        LEFT_RIGHT,
        "focus_by(*)",
        "token",
        "Move to an earlier or later token of the text. In the stepper, a higher bar below a token "
        "means that it surprised the model more.",
    ),
    NEW_CHAT_EARLY,
    Binding("0", "focus_by(1000000)", show=False, tooltip="Go to the end of the text."),
    Binding(
        "u", "do('back')", "undo", tooltip="Undo the last token, or bring a removed branch back."
    ),
    Binding("b", "do('back')", show=False),
    Binding("backspace", "do('back')", show=False),
    key("U", "do('redo')", "redo", "Redo what was undone, or bring a branch back. Press Shift+u."),
    Binding("r", "do('stop')", "stop", tooltip="Stop processing a long text. The text is kept."),
    Binding("r", "do('run')", "run", tooltip="Let the model continue by itself, or stop it."),
    Binding("e", "panel('editor')", "edit", tooltip="Edit the prompt."),
    Binding("s", "do('seed')", "new seed", tooltip="Start again from the prompt with a new seed."),
    *READING_KEYS,
    Binding("slash", "search", "search", tooltip="Find any token and see its probability."),
    Binding(
        "t",
        "dials",
        "sampler",
        tooltip="Change temperature, top-k, top-p or min-p, or switch to greedy decoding.",
    ),
    Binding(
        "x",
        "xray",
        "x-ray",
        tooltip="Look inside the model at the token in focus: attention, layers, contributions.",
    ),
    Binding(
        "equals_sign",
        "compare",
        "compare",
        tooltip="Open the lab that compares this text with another prompt, sampler or model.",
    ),
    Binding(
        "escape",
        "stop_saving",
        "stop saving",
        tooltip="Stop saving the text as a file. No file is written.",
    ),
    Binding(
        "escape",
        "stop_answer",
        "stop it",
        tooltip="Stop the answer, or take back a message that the model has not received.",
        id="stop-answer",
    ),
    Binding("escape", "close", "close", tooltip="Close the x-ray or the distribution."),
    Binding("c", "mode('chat')", "chat", tooltip="Switch to the conversation. The text is kept."),
    Binding(
        "c",
        "mode('text')",
        "stepper",
        tooltip="Switch to the stepper and its text. The conversation is kept.",
    ),
    Binding(
        "m",
        "do('marks')",
        "special tokens",
        tooltip="Show or hide the special tokens of the chat template.",
    ),
    Binding("f", "do('fork')", "fork", tooltip="Start another branch at this token."),
    Binding("o", "panel('recent')", "open", tooltip="Open a saved text, or start a new one."),
    Binding("w", "branches", "branches", tooltip="Switch to another branch, or remove one."),
    SHARE,
]
