"""The key bindings of the x-ray."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tutor.app.key_scheme import VIEW
from tutor.labs.kit.keys import LAYERS, LEFT_RIGHT, P_N, UP_DOWN, Pair, key, pair

XRAY_KEYS: list[BindingType] = [
    *pair(LAYERS, "move(*, 'layer')", "layer", "Choose the layer."),
    *pair(UP_DOWN, "move(*, 'row')", "row", "Choose a row."),
    *pair(LEFT_RIGHT, "move(*, 'head')", "head", "Choose the head."),
    *pair(LEFT_RIGHT, "move(*, 'part')", "head", "Choose a head or the feed-forward network."),
    *pair(LEFT_RIGHT, "move(*, 'position')", "position", "Go to the previous or next token."),
    key("a", "explain(True)", "rather than", "Explain why this token rather than a second one."),
    # The id names the two original views. It cannot change, because learners may have assigned
    # another key to it.
    key("tab", "next_view(1)", "view", "Go to the next view of this token.", id="attention-lens"),
    Binding("shift+tab", "next_view(-1)", show=False, id="view-back"),
    key("tab,shift+tab", "leave", "leave", "Leave the search.", display="tab"),
    key("enter", "open", "attention", "Show the attention of the selected head.", id="open-head"),
    # On a row without a head, Enter must not add a token to the text beside the x-ray.
    Binding("enter", "ignore", show=False, id="open-head"),
    key("slash", "explain", "other token", "Explain another token."),
    key("d", "remove", "remove", "Remove the second token."),
    key("z", "reset", "reset", "Explain the token that follows in the text."),
    key("o", "move(1, 'order')", "sort", "Sort by weight or by position in the text.", group=VIEW),
    key(
        "l",
        "move(1, 'every')",
        "all layers",
        "Show all layers, or only as many as fit.",
        group=VIEW,
    ),
    *pair(Pair("k", "j", "j/k"), "move(*, 'scroll_rows')", "scroll", "Scroll the rows."),
    *pair(P_N, "token(*)", "token", "Go to the previous or next token."),
]
