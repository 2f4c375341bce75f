"""The stepper in plain mode, which builds a text one token at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tutor.app.explorer import events
from tutor.app.explorer.events import Signal
from tutor.language import _
from tutor.lm.token_tree import text_of
from tutor.plain import words
from tutor.plain.explorer.explorer import ExplorerPlace, simple
from tutor.plain.place import Command
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.app.explorer.events import Event
    from tutor.lm.distribution import Distribution, Row
    from tutor.lm.token_tree import Step
    from tutor.plain.place import Place

FEW = 5
"""The number of table rows to print after each step."""
MOST = 60
MANY = 20
"""The number of tokens to print if the learner gives no number."""


class StepperPlace(ExplorerPlace):
    """The stepper. Pressing Enter adds the token that the model has drawn."""

    title = _("Stepper. You build text with the model, one token at a time.")

    KEYS = {  # noqa: RUF012
        **{str(rank): f"take {rank}" for rank in range(1, 10)},
        **{"e": "edit", "u": "undo", "r": "run", "s": "seed", "f": "fork", "/": "find"},
        **{"x": "xray", "t": "set"},
    }

    _found: dict[int, Row] = {}  # noqa: RUF012  (replaced, never changed)
    """The table rows that the last search found, by rank."""

    @property
    def _distribution(self) -> Distribution | None:
        return self.state.answer.distribution if self.state.answer is not None else None

    def say_all(self) -> None:
        self._say_text()
        self._say_rows(FEW)

    def _say_text(self) -> None:
        tree = self.state.tree
        if tree is None:
            return
        self.say(
            _('The text has {tokens}: "{text}"').format(
                tokens=counted(tree.length, "token"), text=text_of(tree.steps)
            )
        )
        if not tree.at_end:
            self.say(_("Your position is after token {focus}.").format(focus=tree.focus))

    def _say_rows(self, count: int) -> None:
        found = self._distribution
        if found is None:
            return
        sampled = not self.state.sampler.plain
        self.say_steering()
        self.say(
            _("Next token."), *(words.rank(row, sampled=sampled) for row in found.rows[:count])
        )
        self.say(words.entropy(found))
        target = self.state.target
        if target is not None:
            self.say(_("Enter takes {token}.").format(token=words.token(target.row.token)))

    async def _take(self, event: Event) -> None:
        """Add a token, then print it and the most probable tokens after it."""
        before = self.state.tree
        rows = self._distribution.rows if self._distribution else ()
        await self.send(event)
        self._found = {}
        tree = self.state.tree
        if tree is None or before is None or tree == before:
            return
        step = tree.steps[tree.focus - 1]
        row = next((row for row in rows if row.token.id == step.token.id), None)
        rank = (
            _(", rank {rank:,}, {probability}").format(
                rank=row.rank, probability=words.percent(row.probability)
            )
            if row
            else ""
        )
        self.say(_("Took {token}{rank}.").format(token=words.token(step.token), rank=rank))
        self._say_rows(FEW)

    # --- commands ------------------------------------------------------------------------------

    def on_enter(self) -> Command | None:
        if not self.agreed:
            return None
        return Command("step", "Take the token that the model draws.", self._step)

    def own_commands(self) -> Sequence[Command]:
        return (
            Command("take", "Take the token with this rank.", self._take_rank, "RANK"),
            Command("rows", "Show more ranks of the next token.", self._rows, "NUMBER"),
            Command("text", "Show the whole text.", self._text),
            Command("tokens", "Show the last tokens and their surprisal.", self._tokens, "NUMBER"),
            Command("xray", "Show what happens inside the model at a token.", self._xray, "NUMBER"),
            Command("undo", "Undo the last token.", simple(self, Signal.BACK)),
            Command("redo", "Redo what you undid last.", simple(self, Signal.REDO)),
            Command("left", "Go back to an earlier token.", self._left, "NUMBER"),
            Command("right", "Go to a later token.", self._right, "NUMBER"),
            Command("run", "Let the model continue. Ctrl+C stops it.", self._run),
            Command("edit", "Start from another prompt.", self._edit, "TEXT", raw=True),
            Command("find", "Search the vocabulary for tokens.", self._find, "TEXT"),
            Command(
                "seed", "Restart from the prompt with a new seed.", simple(self, Signal.NEW_SEED)
            ),
            Command("fork", "Start another branch here.", simple(self, Signal.FORK)),
            Command("branches", "List the branches.", self._branches),
            Command("branch", "Switch to a branch.", self._branch, "NUMBER"),
        )

    async def _step(self, rest: str) -> None:
        await self._take(Signal.STEP)

    async def _take_rank(self, rest: str) -> None:
        rows = self._distribution.rows if self._distribution else ()
        rank = int(rest) if rest.isdecimal() else 0
        if rank in self._found:
            await self._take(events.TakeFound(self._found[rank]))
        elif 1 <= rank <= len(rows):
            await self._take(events.TakeRow(rank - 1))
        else:
            self.say(
                _("Type take and a rank from 1 to {count}, or a rank that find has listed.").format(
                    count=len(rows)
                )
            )

    async def _rows(self, rest: str) -> None:
        count = int(rest) if rest.isdecimal() else 2 * FEW
        self._say_rows(max(1, min(count, MOST)))

    async def _text(self, rest: str) -> None:
        self._say_text()

    async def _tokens(self, rest: str) -> None:
        steps = self.state.tree.steps if self.state.tree else ()
        self.services.voice.all(token_lines(steps, len(steps), rest))

    async def _xray(self, rest: str) -> Place | None:
        tree, path = self.state.tree, self.state.path
        index = int(rest) - 1 if rest.isdecimal() else tree.last_looked_at if tree else None
        if self.state.remote:
            self.say(
                _(
                    "There is no x-ray, because a server does not return its model's "
                    "internal values."
                )
            )
        elif index is None or not 0 <= index < len(path):
            self.say(
                _("Type xray and the number of a token, from 1 to {count}.").format(count=len(path))
            )
        else:
            return self.services.open.xray(path, index, self._controller.link)
        return None

    async def _left(self, rest: str) -> None:
        await simple(self, events.MoveFocus(-_count(rest)))("")

    async def _right(self, rest: str) -> None:
        await simple(self, events.MoveFocus(_count(rest)))("")

    async def _run(self, rest: str) -> None:
        try:
            await self.send(Signal.START)
        except asyncio.CancelledError:
            self._say_text()
            raise
        self.say_all()

    async def _edit(self, rest: str) -> None:
        await simple(self, events.UseText(rest))("")

    async def _find(self, rest: str) -> None:
        if self.state.answered is None or not rest:
            self.say(_("Type find and the text of a token."))
            return
        rows, said = await self._controller.link.find(self.state.answered, rest, FEW)
        self.say(*map(words.rank, rows), said)
        self._found = {row.rank: row for row in rows}

    async def _branches(self, rest: str) -> None:
        tree = self.state.tree
        for branch in tree.branches if tree else ():
            here = _(", the current one") if tree and branch.number == tree.number else ""
            text = text_of(branch.steps[-12:])
            self.say(
                _('Branch {number}{here}, seed {seed}: ends with "{text}"').format(
                    number=branch.number, here=here, seed=branch.seed, text=text
                )
            )

    async def _branch(self, rest: str) -> None:
        tree = self.state.tree
        if tree is None or not rest.isdecimal() or not tree.has_branch(int(rest)):
            self.say(_("Type branch and the number of a branch. Type branches to list them."))
            return
        await simple(self, events.SwitchBranch(int(rest)))("")


def token_lines(steps: Sequence[Step], end: int, count: str = "") -> Iterator[str]:
    """Yield one line for each of the last tokens before position `end`, with its surprisal.

    `count` is the number of lines, as the learner typed it. If it is not a number, the default is
    used.
    """
    number = int(count) if count.isdecimal() else MANY
    for at in range(max(0, end - number), end):
        bits = steps[at].known_bits
        surprisal = _(", {bits:.2f} bits").format(bits=bits) if bits is not None else ""
        yield _("Token {at}: {token}{surprisal}.").format(
            at=at + 1, token=words.token(steps[at].token), surprisal=surprisal
        )


def _count(rest: str) -> int:
    return int(rest) if rest.isdecimal() else 1
