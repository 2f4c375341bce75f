"""Two panels with a list: the branches of a text, and the saved texts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tutor.app import theme
from tutor.app.explorer.chat.versions import branch_text
from tutor.app.explorer.events import OpenText, RemoveBranch, ShowPanel, SwitchBranch, ToggleStar
from tutor.app.explorer.text_view import token_texts
from tutor.app.widgets import figures
from tutor.app.widgets.lines import Lines, centered
from tutor.app.widgets.selection import mark
from tutor.labs.kit.keys import UP_DOWN, pair
from tutor.language import _
from tutor.learner.texts import MOST
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click

    from tutor.app.explorer.document import Mode
    from tutor.app.explorer.events import Event
    from tutor.learner.texts import TextInfo
    from tutor.lm.token_tree import Fork, TokenTree


@dataclass
class Send(Message):
    """Posted to send an event to the explorer's controller."""

    event: Event


class ListPanel(Lines, can_focus=True):
    """A list of entries. The arrow keys select one of them."""

    entries: Sequence[object] = ()
    chosen = 0

    first = 0
    """The index of the first visible entry, which is below the heading."""

    def lay_out(self) -> None:
        raise NotImplementedError

    def on_click(self, event: Click) -> None:
        """Select the clicked entry."""
        index = self.first + event.y - 1
        if event.y and index < len(self.entries):
            self.action_choose(index - self.chosen)

    def send(self, event: Event) -> None:
        self.post_message(Send(event))

    def action_choose(self, by: int) -> None:
        if self.entries:
            self.chosen = (self.chosen + by) % len(self.entries)
            self.lay_out()

    def action_close(self) -> None:
        self.send(ShowPanel(None))


_TEXT = 60
"""The maximum number of tokens to show for a branch."""


def branch_line(
    tree: TokenTree, fork: Fork, width: int, *, chosen: bool, chat: bool = False
) -> Content:
    """Draw the line for a branch: where it starts, its text and its length.

    For a branch of a conversation, the line says which message is different. A branch with a prompt
    of its own is drawn as a text of its own.
    """
    branch = tree.branch(fork.branch)
    current = branch is tree.current
    stem = "  " * max(0, fork.depth - 1) + ("└ " if fork.depth else "")
    first = branch is tree.branches[0]
    start = branch.prompt_length if first else fork.at  # another text begins with its own prompt
    own = branch.steps[start : start + _TEXT]
    text = "".join(token_texts(own, marks=True)).replace("\n", "⏎") or _("(nothing added yet)")
    text = (branch_text(tree, fork, wide=width >= 60) if chat else "") or text
    size = counted(len(branch.steps), "token")
    if width >= 60:
        size += _(", seed {seed}").format(seed=branch.seed)
        if fork.depth and not chat:
            size = _("after token {at}, {size}").format(at=fork.at, size=size)
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
    """The list of a text's branches, in which the learner switches to a branch or removes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "choose", key_display="↑↓", tooltip="Choose a branch."),
        Binding("down", "choose(1)", show=False),
        Binding("w", "choose_next", show=False),
        Binding("enter", "switch", "switch", tooltip="Continue at the end of this branch."),
        Binding("d", "remove", "remove", tooltip="Remove this branch. To bring it back, press u."),
        Binding("escape", "close", "close", tooltip="Stay on the current branch."),
        *(Binding(str(number), f"number({number})", show=False) for number in range(1, 10)),
    ]

    _tree: TokenTree | None = None
    _chat = False
    _branch = 1
    """The number of the selected branch."""
    _rows = 3

    def update(self, tree: TokenTree | None, rows: int, *, chat: bool) -> None:
        """Show the branches of `tree` in at most `rows` lines.

        `chat` is true if the tree belongs to a conversation.
        """
        before, self._tree, self._rows, self._chat = self._tree, tree, rows, chat
        if before is not None and tree is not None:
            new = [each.number for each in tree.branches if not before.has_branch(each.number)]
            if new or tree.number != before.number:
                self._branch = tree.number if len(new) != 1 else new[0]
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
                tree,
                fork,
                self.size.width,
                chosen=self.has_focus and fork.branch == self._branch,
                chat=self._chat,
            )
            for fork in forks[first : first + rows]
        ]
        if hidden > 0:
            keys = "↑↓" if self.has_focus else "w ↑↓"
            more = _("  branches: {first} above, {count} below  {keys} scroll").format(
                first=first, count=len(forks) - first - rows, keys=keys
            )
            lines.append(Content.styled(more, theme.MUTED))
        self.show(lines)

    def open(self, number: int) -> None:
        """Move the focus to the list, and select this branch."""
        self._branch = number
        self.screen.set_focus(self)

    def on_focus(self) -> None:
        self.on_resize()

    on_blur = on_focus

    def action_choose(self, by: int) -> None:
        if self._tree is None:
            return
        numbers = self._numbers
        at = numbers.index(self._branch) + by
        self._branch = numbers[min(max(0, at), len(numbers) - 1)]
        self.draw_with(self.lay_out)

    def action_choose_next(self) -> None:
        """Select the next branch or, after the last one, the first."""
        last = bool(self._numbers) and self._branch == self._numbers[-1]
        self.action_choose(-len(self._numbers) if last else 1)

    @property
    def _numbers(self) -> list[int]:
        """The numbers of the branches, in the order in which they are drawn."""
        return [fork.branch for fork in self._tree.forks()] if self._tree else []

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
        self.send(RemoveBranch(self._branch))
        if len(self._tree.branches) == 2:
            self.action_close()


STAR = "*"
_NAMED = 20
"""The minimum width, in columns, to name what is saved beside a text or a conversation."""


def ago(seconds: float) -> str:
    """Return the time since an event in short form, such as "5 min ago"."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return _("{seconds} {unit} ago").format(seconds=int(seconds // size), unit=unit)
    return _("just now")


def text_line(info: TextInfo, now: float, width: int, *, chosen: bool, is_open: bool) -> Content:
    """Draw the line for a saved text: its last words, its length and when it last changed.

    If there is room, it also names the conversation that is saved with the text, or vice versa.
    """
    size = counted(info.tokens, "token")
    if info.mode == "chat":
        size = _("chat, {size}").format(size=size)
    if width >= 60:
        size += ago(now - info.at).rjust(11)
    room = max(4, width - len(size) - 7)
    beside = _beside(info, room // 2)
    nothing = _("(no message yet)") if info.mode == "chat" else _("(empty)")
    title, most = _line(info.title) or nothing, room - cell_len(beside)
    if len(title) > most:
        title = "…" + title[len(title) - most + 1 :]
    title = figures.fit(title, min(most, cell_len(title)))
    return Content.assemble(
        mark(chosen),
        (STAR if info.starred else " ", theme.ACT),
        ("● " if is_open else "  ", theme.ACT),
        (title, "bold" if is_open else ""),
        (figures.fit(beside, room - cell_len(title)), theme.MUTED),
        "  ",
        (size, theme.MUTED),
    )


def _beside(info: TextInfo, most: int) -> str:
    """Return words for the conversation beside a text, or vice versa, up to `most` wide."""
    title = _line(info.beside)
    if not title or most < _NAMED:
        return ""
    said = _("  chat: {title}") if info.mode == "text" else _("  text: {title}")
    return figures.fit(said.format(title=title), most).rstrip()


def _line(title: str) -> str:
    return " ".join(safe(title).split())


class RecentTexts(ListPanel):
    """The list of saved texts, most recently used first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *pair(UP_DOWN, "choose(*)", "choose", "Choose a text."),
        Binding("enter", "open", "open", tooltip="Open this text."),
        Binding(
            "n", "new('text')", "new text", tooltip="Start a new text. The current one is kept."
        ),
        Binding(
            "n", "new('chat')", "new chat", tooltip="Start a new chat. The current one is kept."
        ),
        Binding("k", "star", "star", tooltip="Star this text so that it is never deleted."),
        Binding("escape", "close", "close", tooltip="Stay in the current text."),
    ]
    DEFAULT_CSS = "RecentTexts { height: 1fr; }"
    entries: tuple[TextInfo, ...] = ()
    _open_id = ""
    _mode: Mode = "text"

    def choose(self, infos: tuple[TextInfo, ...], open_id: str) -> None:
        """Select the text that is open. If it is not saved, select the latest one."""
        ids = [info.id for info in infos]
        self.chosen = ids.index(open_id) if open_id in ids else 0

    def update(self, infos: tuple[TextInfo, ...], open_id: str, mode: Mode) -> None:
        """Show these texts, and mark the text that is open. A new text opens in this mode."""
        self.entries, self._open_id, self._mode = infos, open_id, mode
        self.draw_with(self.lay_out)

    def lay_out(self) -> None:
        width, room = self.size.width, max(1, self.size.height - 2)
        first = self.first = centered(self.chosen, len(self.entries), room)
        now = time.time()
        rule = _("  {count} of {most} saved; the oldest without a star is replaced").format(
            count=len(self.entries), most=MOST
        )
        if width < 60:
            rule = _("  {count} of {most} saved; {star} texts are kept").format(
                count=len(self.entries), most=MOST, star=STAR
            )
        lines = [Content.styled(rule, theme.MUTED)]
        for index, info in enumerate(self.entries[first : first + room], start=first):
            chosen = index == self.chosen
            is_open = info.id == self._open_id
            lines.append(text_line(info, now, width, chosen=chosen, is_open=is_open))
        hidden = len(self.entries) - room
        if hidden > 0:
            lines.append(
                Content.styled(_("  {hidden} more, ↑↓ scroll").format(hidden=hidden), theme.MUTED)
            )
        self.show(lines)

    def action_open(self) -> None:
        if self.entries:
            self.send(OpenText(self.entries[self.chosen]))
        else:
            self.action_close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "new" or parameters == (self._mode,)

    def action_new(self, _mode: str) -> None:
        self.send(OpenText(None))

    def action_star(self) -> None:
        if self.entries:
            self.send(ToggleStar(self.entries[self.chosen]))
