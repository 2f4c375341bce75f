"""A list from which the learner chooses an entry with the arrow keys.

A mark and a background across the full width highlight the entry at the cursor.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from tutor.app.theme import ACT
from tutor.app.widgets.copyable import row_copy
from tutor.app.widgets.selection import MARK, row_said, selected
from tutor.labs.kit.keys import UP_DOWN, pair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.events import Click
    from textual.geometry import Size

    from tutor.app.widgets.copyable import Copy

Row = Callable[[int], Content]
"""A function that takes a width in columns and returns the text of an entry.

The text may have several lines. Lines that are too wide are wrapped.
"""

MARGIN = 2
_TEXT = 3
"""The maximum number of lines of an entry that contains only text."""
_HEADING = 3
"""The maximum height, in lines, of a widget above the list that counts as its heading."""
_UNCUT = 1000
"""A width, in columns, at which no entry is cut."""


def number_keys(label: str, tooltip: str) -> list[BindingType]:
    """Return bindings for the keys 1 to 9, which choose an entry of a menu by its number."""
    return [
        Binding(
            str(number),
            f"number({number})",
            label,
            show=number == 1,
            key_display="1-9",
            tooltip=tooltip,
        )
        for number in range(1, 10)
    ]


class Menu(Widget, can_focus=True):
    """A vertical list of entries. None is a blank line, which the learner cannot choose.

    The list is as tall as all its entries and must be in a container that scrolls. It scrolls the
    container so that the entry at the cursor is visible. The cursor is -1 as long as no entry is
    selected.

    Only visible entries are drawn. Each entry is drawn once for each width.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", tooltip="Open the selected entry."),
        *pair(UP_DOWN, "move(*)", "choose", "Select another entry."),
        Binding(
            "home",
            "move_to(0)",
            show=False,
            key_display="home end",
            tooltip="Go to the first or last entry.",
        ),
        Binding("end", "move_to(-1)", show=False),
        Binding(
            "pageup",
            "page(-1)",
            show=False,
            key_display="pgup pgdn",
            tooltip="Scroll by a page. Space also scrolls down.",
        ),
        Binding("pagedown,space", "page(1)", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """Posted when the learner chooses the entry at `index`."""

        menu: Menu
        index: int

        @property
        def control(self) -> Menu:
            return self.menu

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self, rows: Sequence[Row | None] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows = tuple(rows)
        self._flat = False
        self._headings: Set[int] = frozenset()
        self._marked = -1
        """The index of the entry that was drawn with the mark."""
        self._drawn: dict[tuple[int, int], list[Content]] = {}
        """The lines of each entry that has been drawn, by the entry's index and the width."""
        self._tops: dict[int, list[int]] = {}
        """The line at which each entry begins, followed by the total number of lines, by width.

        The layout requests the height for two widths: with and without a scroll bar.
        """

    def show(
        self,
        rows: Sequence[Row | None],
        cursor: int | None = None,
        *,
        flat: bool = False,
        headings: Set[int] = frozenset(),
    ) -> None:
        """Replace the entries. The cursor moves only if `cursor` is given.

        If `flat` is true, each entry has one line, so the height is known without drawing the
        entries. `headings` contains the indexes of entries that cannot be chosen.
        """
        self._rows = tuple(rows)
        self._headings = headings
        self._flat = flat
        self._drawn.clear()
        self._tops.clear()
        self.cursor = self.cursor if cursor is None else cursor
        if self.cursor >= 0:
            self.cursor = self._nearest(self.cursor, 1)
        self._marked = self.cursor  # the whole list is redrawn anyway
        self.refresh(layout=True)

    def validate_cursor(self, cursor: int) -> int:
        return max(-1, min(cursor, len(self._rows) - 1))

    def watch_cursor(self) -> None:
        before, self._marked = self._marked, self.cursor
        if self.size.width:
            tops = self._tops_at(self.size.width)
            changed = {index for index in (before, self.cursor) if 0 <= index < len(self._rows)}
            for index in changed:
                height = tops[index + 1] - tops[index]
                self.refresh(Region(0, tops[index], self.size.width, height))
        self.call_after_refresh(self.keep_in_view)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._tops_at(width)[-1]

    def render_lines(self, crop: Region) -> list[Strip]:
        self._dirty_regions.clear()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        tops = self._tops_at(width)
        if y >= tops[-1]:
            return Strip.blank(width, self.visual_style.rich_style)
        index = bisect_right(tops, y) - 1
        lines = self._entry(index, width)
        line = lines[y - tops[index]]
        if index == self.cursor:
            text = y == tops[index] or len(lines) <= _TEXT  # reverse video would spoil a plot
            line = selected(line, width, reverse=text and self.app.current_theme.ansi)
        (strip,) = Visual.to_strips(self, line, width, 1, self.visual_style)
        return strip

    def render(self) -> Content:
        entries = (self._entry(index, self.size.width) for index in range(len(self._rows)))
        return Content("\n").join(line for entry in entries for line in entry)

    @property
    def _chosen(self) -> Row | None:
        """The entry at the cursor, or None. A list has no entries until `show` is called."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    def copies(self) -> Iterable[Copy]:
        if (row := self._chosen) is not None:
            yield row_copy(row(_UNCUT).plain)

    def announcement(self) -> str | None:
        """Return a sentence about the entry at the cursor, with its number in the menu."""
        if (row := self._chosen) is None:
            return None
        places = [at for at in range(len(self._rows)) if self._can_choose(at)]
        if self.cursor not in places:
            return None
        return row_said(places.index(self.cursor) + 1, len(places), row(_UNCUT).plain)

    def on_click(self, event: Click) -> None:
        """Move the cursor to the clicked entry. If it is already there, open the entry."""
        tops = self._tops_at(self.size.width)
        index = bisect_right(tops, event.y) - 1
        if self._can_choose(index):
            event.stop()
            self.clicked(index)

    def clicked(self, index: int) -> None:
        if index == self.cursor:
            self.action_choose()
        self.cursor = index

    def action_move(self, step: int) -> None:
        """Move the cursor. At the first or last entry, scroll the text around the list instead."""
        before, first = self.cursor, step if self.cursor >= 0 or step > 0 else 0
        self.cursor = self._nearest(self.cursor + first, step)
        if self.cursor == before and (scroll := self._scroll) is not None:
            scroll.scroll_relative(y=step, animate=False)

    def action_move_to(self, index: int) -> None:
        """Move the cursor to the first entry (0) or the last entry (-1).

        Also scroll to the start or, if the cursor is already at the last entry, to the end of the
        text around the list.
        """
        before, step = self.cursor, -1 if index else 1
        self.cursor = self._nearest(range(len(self._rows))[index] if self._rows else 0, step)
        if (scroll := self._scroll) is None:
            return
        if not index:  # after the cursor has been brought into view
            self.call_after_refresh(scroll.scroll_home, animate=False)
        elif self.cursor == before:
            scroll.scroll_end(animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by a page. If the entry at the cursor is visible, move the cursor with the text.

        The cursor moves to an entry that is visible as a whole, so that nothing else scrolls. If
        the text cannot scroll any further, the cursor moves to the first or last entry.
        """
        scroll = self._scroll
        if not self._rows or scroll is None:
            return
        page = max(1, scroll.scrollable_content_region.height - 1)
        top = min(max(0, scroll.scroll_y + pages * page), scroll.max_scroll_y)
        if top == scroll.scroll_y:
            self.cursor = self._nearest(len(self._rows) - 1 if pages > 0 else 0, -pages)
            return
        tops, begin = self._tops_at(self.size.width), self._top_within(scroll)
        line, first = tops[max(0, self.cursor)], round(top) - begin
        visible = 0 <= line + begin - scroll.scroll_y <= page
        if visible:
            line += round(top - scroll.scroll_y)
        index = bisect_right(tops, min(max(line, 0), tops[-1] - 1)) - 1
        low, high = bisect_left(tops, first), bisect_right(tops, first + page + 1) - 2
        if low <= high:
            index = max(index, low) if visible or pages > 0 else index
            index = min(index, high) if visible or pages < 0 else index
        scroll.scroll_to(y=top, animate=False)
        self.cursor = self._nearest(index, -pages)

    def action_choose(self) -> None:
        if self._can_choose(self.cursor):
            self.post_message(self.Chosen(self, self.cursor))

    def action_number(self, number: int) -> None:
        """Choose an entry by its number, counted from 1 (see `number_keys`)."""
        if number <= len(self._rows):
            self.cursor = number - 1
            self.action_choose()

    def _can_choose(self, index: int) -> bool:
        exists = 0 <= index < len(self._rows)
        return exists and self._rows[index] is not None and index not in self._headings

    def _nearest(self, index: int, step: int) -> int:
        """Return the index of the nearest entry that can be chosen, in the direction of `step`."""
        wanted = index
        while 0 <= wanted < len(self._rows):
            if self._can_choose(wanted):
                return wanted
            wanted += step
        return self.cursor

    def _tops_at(self, width: int) -> list[int]:
        if width not in self._tops:
            places = range(len(self._rows))
            heights = [1 if self._flat else len(self._unmarked(each, width)) for each in places]
            self._tops[width] = list(accumulate(heights, initial=0))
        return self._tops[width]

    def _unmarked(self, index: int, width: int) -> list[Content]:
        """Return the lines of an entry, without the margin at the left."""
        lines = self._drawn.get((index, width))
        if lines is None:
            row = self._rows[index]
            room = max(1, width - MARGIN)
            drawn = row(room).split("\n") if row else [Content("")]
            lines = [
                part
                for line in drawn
                for part in (line.wrap(room) if line.cell_length > room else [line])
            ]
            self._drawn[index, width] = lines
        return lines

    def _entry(self, index: int, width: int) -> list[Content]:
        mark, rest = self.mark(index), Content(" " * MARGIN)
        lines = self._unmarked(index, width)
        return [(rest if number else mark) + line for number, line in enumerate(lines)]

    def mark(self, index: int) -> Content:
        """Return the margin to the left of an entry. It is `MARGIN` columns wide."""
        if index == self.cursor:
            return Content.styled(f"{MARK} ", f"bold {ACT}")
        return Content(" " * MARGIN)

    @property
    def cursor_hidden(self) -> bool:
        """True if the entry at the cursor is below the visible part of the container."""
        scroll = self._scroll
        if self.cursor < 0 or scroll is None or not self.size.width:
            return False
        top = self._tops_at(self.size.width)[self.cursor] + self._top_within(scroll)
        return top >= scroll.scroll_y + scroll.scrollable_content_region.height

    @property
    def _scroll(self) -> VerticalScroll | None:
        """The container that scrolls this list and the text around it, or None."""
        return next((each for each in self.ancestors if isinstance(each, VerticalScroll)), None)

    def keep_in_view(self) -> None:
        """Scroll the container so that the entry at the cursor, or at least its top, is visible.

        For the first entry, also show the text above the list if there is room for both. If there
        is not, show a heading directly above the list, if there is one.
        """
        scroll = self._scroll
        if not 0 <= self.cursor < len(self._rows) or scroll is None:
            return
        tops = self._tops_at(self.size.width)
        top = tops[self.cursor] + self._top_within(scroll)
        room = scroll.scrollable_content_region.height
        bottom = top + min(tops[self.cursor + 1] - tops[self.cursor], room)
        if not any(map(self._can_choose, range(self.cursor))):
            top = 0 if bottom <= room else max(bottom - room, top - self._heading_height)
        scroll.scroll_to_region(Region(0, top, 1, bottom - top), animate=False)

    @property
    def _heading_height(self) -> int:
        """The height of the heading directly above this list, in lines, or 0 without a heading."""
        at = self.parent.children.index(self) if self.parent else 0
        above = self.parent.children[at - 1].region.height if self.parent and at else 0
        return above if above <= _HEADING else 0

    def _top_within(self, scroll: VerticalScroll) -> int:
        """Return the line of the container's content at which this list begins."""
        inside = takewhile(lambda each: each is not scroll, self.ancestors_with_self)
        return sum(each.virtual_region.y for each in inside if isinstance(each, Widget))
