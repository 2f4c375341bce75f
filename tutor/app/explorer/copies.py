"""Find what can be copied from the explorer."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tutor.app.explorer.chat.messages import messages
from tutor.app.widgets.copyable import Copy
from tutor.language import _
from tutor.lm.distribution import PLAIN
from tutor.lm.token_tree import text_of
from tutor.models.installed import DEFAULT
from tutor.text import writable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.app.explorer.state import State
    from tutor.lm.distribution import SamplerSettings


def copies(state: State) -> Iterator[Copy]:
    """Yield what can be copied: the text or conversation, and the command for the current step."""
    tree = state.tree
    if tree is None:
        return
    if state.mode == "text":
        yield Copy(_("the text"), text_of(tree.steps))
    else:
        said = [(each, text_of(tree.steps[each.first : each.end])) for each in messages(tree.steps)]
        if answers := [text for message, text in said if message.role == "assistant"]:
            yield Copy(_("the last answer"), answers[-1].strip())
        whole = (f"{each.role}: {text.strip()}" for each, text in said if each.role != "system")
        yield Copy(_("the conversation"), "\n\n".join(whole))
    if command := step_command(state):
        yield Copy(_("the command for this step"), command)


def step_command(state: State) -> str | None:
    """Return a shell command that prints the current distribution, or None if no command can.

    A command can't express a conversation of several messages, or the address of a server.
    """
    tree, model = state.tree, state.engine.model
    if tree is None or model is None or model.remote:
        return None
    options = ["--seed", str(tree.current.seed), *_sampler_options(state.sampler)]
    if state.steering is not None:
        options.append(f"--steer={state.steering.option}")
    if model.sha256 != DEFAULT.sha256:
        options += ["--model", model.path]
    text = text_of(tree.steps[: tree.focus])
    if state.mode == "chat":
        found = messages(tree.steps[: tree.focus])
        mine = [each for each in found if each.role == "user"]
        written = [step for step in tree.steps[: tree.focus] if step.how != "prompt"]
        if any(each.given for each in found if each.role == "assistant"):
            return None  # an answer of another model
        if len(mine) != 1 or any(step.how == "taken" for step in written):
            return None
        text = text_of(tree.steps[mine[0].first : mine[0].end])
        options += ["--chat"] + ["--steps", str(len(written) + 1)] * bool(written)
    if not text or writable(text) != text:
        return None
    end = ["--"] if text.startswith("-") else []
    return shlex.join(["tutor", "step", *options, *end, text])


def _sampler_options(sampler: SamplerSettings) -> Iterator[str]:
    for name in ("temperature", "top_k", "top_p", "min_p"):
        value = getattr(sampler, name)
        if value != getattr(PLAIN, name):
            yield from (f"--{name.replace('_', '-')}", f"{value:g}")
