"""Check whether a widget is being removed, in which case it must no longer act.

A widget that is being removed may already have lost some of its children.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.dom import DOMNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message_pump import MessagePump


def is_leaving(pump: MessagePump) -> bool:
    """Return True if the widget `pump`, or a widget that contains it, is being removed."""
    nodes = pump.ancestors_with_self if isinstance(pump, DOMNode) else []
    return any(node._pruning for node in nodes)


def unless_leaving(pump: MessagePump, callback: Callable[..., Any]) -> Any:
    """Call `callback` and return its result, or do nothing if `pump` is being removed."""
    return None if is_leaving(pump) else callback()
