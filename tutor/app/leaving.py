"""Decide whether a widget may still act, or is being removed.

A widget that is being removed may have lost some of its own widgets already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.dom import DOMNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message_pump import MessagePump


def is_leaving(pump: MessagePump) -> bool:
    """Return True if `pump` is a widget that is being removed, or is inside of one."""
    nodes = pump.ancestors_with_self if isinstance(pump, DOMNode) else []
    return any(node._pruning for node in nodes)


def unless_leaving(pump: MessagePump, callback: Callable[..., Any]) -> Any:
    """Call `callback` and return its result, or do nothing if `pump` is being removed."""
    return None if is_leaving(pump) else callback()
