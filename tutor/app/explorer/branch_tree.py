"""The branches of a text, drawn as a tree; a place to switch between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.events import RemoveBranch, SwitchBranch
from tutor.app.explorer.panel import ListPanel, mark
from tutor.app.explorer.text_view import pieces
from tutor.app.widgets import figures
from tutor.app.widgets.lines import centered

if TYPE_CHECKING:
    from tutor.lm.token_tree import Fork, TokenTree

_TEXT = 60
"""Tokens of a branch that are looked at to show how it begins or ends."""


def branch_line(tree: TokenTree, fork: Fork, width: int, *, chosen: bool) -> Content:
    """One branch: where it leaves its stem, how it goes on from there, and how long it is."""
    branch = tree.branch(fork.branch)
    current = branch is tree.current
    stem = "  " * max(0, fork.depth - 1) + ("└ " if fork.depth else "")
    start = fork.at if fork.depth else branch.prompt_length
    own = branch.steps[start : start + _TEXT]
    text = "".join(pieces(own, marks=True)).replace("\n", "⏎") or "(nothing of its own yet)"
    size = f"{len(branch.steps)} long"
    if width >= 60:
        size += f", seed {branch.seed}"
        if fork.depth:
            size = f"from token {fork.at}, {size}"
    room = width - len(stem) - len(size) - 7
    return Content.assemble(
        mark(chosen),
        (stem, theme.MUTED),
        (str(branch.number), f"{theme.ACT} bold"),
        ("● " if current else "  ", theme.ACT),
        (figures.fit(text, room), "bold" if current else ""),
        "  ",
        (size, theme.MUTED),
    )


class BranchTree(ListPanel):
    """Shows the branches. With the focus, arrows or digits choose one and Enter goes there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "choose", key_display="↑↓", tooltip="Choose a branch."),
        Binding("down,w", "choose(1)", show=False),
        Binding("enter", "switch", "go there", tooltip="Go on at the end of this branch."),
        Binding("d", "remove", "remove", tooltip="Remove this branch; asked twice."),
        Binding("escape", "close", "close", tooltip="Stay on the branch you are on."),
        *(Binding(str(number), f"number({number})", show=False) for number in range(1, 10)),
    ]

    _tree: TokenTree | None = None
    _branch = 1
    """The number of the branch that is chosen."""
    _doomed: int | None = None
    _rows = 3

    def update(self, tree: TokenTree | None, rows: int) -> None:
        """Show the branches of a tree on this many lines."""
        self._tree, self._rows = tree, rows
        self.draw_with(self.lay_out)

    def lay_out(self) -> None:
        tree = self._tree
        if tree is None:
            self.show([])
            return
        forks = tree.forks()
        numbers = [fork.branch for fork in forks]
        if not self.has_focus or self._branch not in numbers:
            self._branch = tree.current.number
        at = numbers.index(self._branch)
        hidden = len(forks) - self._rows
        rows = self._rows - (hidden > 0)
        first = centered(at, len(forks), rows)
        lines = [
            branch_line(
                tree, fork, self.size.width, chosen=self.has_focus and fork.branch == self._branch
            )
            for fork in forks[first : first + rows]
        ]
        if hidden > 0:
            keys = "↑↓" if self.has_focus else "w ↑↓"
            more = f"  {first} above, {len(forks) - first - rows} below  {keys} go through them"
            lines.append(Content.styled(more, theme.MUTED))
        if self._doomed is not None:
            question = f"Remove branch {self._doomed} and its text? d again removes it."
            lines[-1] = Content.styled(question, theme.NOT_YET)
        self.show(lines)

    def open(self, number: int) -> None:
        """Take the keys, with this branch chosen."""
        self._branch = number
        self.screen.set_focus(self)

    def on_focus(self) -> None:
        self.on_resize()

    def on_blur(self) -> None:
        self._doomed = None
        self.on_resize()

    def action_choose(self, by: int) -> None:
        if self._tree is None:
            return
        numbers = [fork.branch for fork in self._tree.forks()]
        self._doomed = None
        self._branch = numbers[(numbers.index(self._branch) + by) % len(numbers)]
        self.draw_with(self.lay_out)

    def action_number(self, number: int) -> None:
        if self._tree and self._tree.has_branch(number):
            self._go_to(number)

    def action_switch(self) -> None:
        self._go_to(self._branch)

    def _go_to(self, number: int) -> None:
        self.send(SwitchBranch(number))
        self.action_close()

    def action_remove(self) -> None:
        if self._tree is None or len(self._tree.branches) == 1:
            return
        if self._doomed == self._branch:
            self._doomed = None
            self.send(RemoveBranch(self._branch))
            if len(self._tree.branches) == 2:
                self.action_close()
        else:
            self._doomed = self._branch
            self.draw_with(self.lay_out)
