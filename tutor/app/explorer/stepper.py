"""What the learner does and what the model answers, without screen or engine.

A state machine. `question` is what the model has to be asked now (None: nothing); whoever asks it
hands the `Answer` to `arrived`. Commands are carried out in the order of the keys: one that needs
the answer to the question before it waits for it, so that fast typing loses and doubles nothing.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from tutor.app.explorer.state import FIRST_SEED
from tutor.course.goals import Evidence
from tutor.errors import ContextFull, TutorError
from tutor.lm.distribution import Distribution, Row, SamplerSettings, Token
from tutor.lm.token_tree import How, Step, TokenTree
from tutor.text import visible

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

RUN_LIMIT = 200
"""Most tokens of one run; `r` goes on."""
QUEUE_LIMIT = 32
ROWS = 60
"""Rows asked for at first; as many more whenever the learner scrolls past them."""
MOST_ROWS = 600


class Question(msgspec.Struct, frozen=True):
    """What the model is asked: the distribution after the first `position` of `tokens`, the row
    of the token that `stands` there, and the surprisals that are missing."""

    tokens: tuple[Token, ...]
    position: int
    sampler: SamplerSettings
    seed: int
    top: int
    stands: int | None
    surprisals_from: int | None


class Answer(msgspec.Struct, frozen=True):
    distribution: Distribution
    stands: Row | None = None
    surprisals: tuple[float | None, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """What Enter takes, and why."""

    row: Row
    how: How
    reason: str


class Stepper:
    """Carries out commands on the tree of a `State`.

    `end_ids` and `context` are the model's. `on_evidence` hears of everything that a goal of a
    lab could be reached by.
    """

    def __init__(self, state: State, on_evidence: Callable[[Evidence], object]) -> None:
        self.state = state
        self.end_ids: frozenset[int] = frozenset()
        self.context = 0
        self.ends_for_good = False
        """Whether the model says nothing behind the end of its text or turn, as those elsewhere."""
        self.given: str | None = None
        """The prompt that a lab gives; None outside of labs and in conversations."""
        self.answer: Answer | None = None
        self.answered: Question | None = None
        self.stale: Answer | None = None
        self.cursor: int | None = None
        self.running = False
        self.run_length = 0
        self.note: TutorError | str | None = None
        self.expecting = False
        """The tokens of a prompt or message are on their way: keys wait for them."""
        self.reading: tuple[int, int] | None = None
        """While a long text is read: how many tokens the model has read, and of how many."""
        self._sampler_to_come: SamplerSettings | None = None
        self._top = ROWS
        self._acted = False
        self._on_evidence = on_evidence
        self._queue: deque[tuple[Callable[[], None], bool]] = deque()

    @property
    def tree(self) -> TokenTree | None:
        return self.state.tree

    @property
    def waiting(self) -> int:
        """How many commands wait for the model."""
        return len(self._queue)

    @property
    def sampler(self) -> SamplerSettings:
        return self.state.sampler

    @property
    def sampler_to_come(self) -> SamplerSettings:
        """The settings as they will be when every command that waits is carried out."""
        return self._sampler_to_come or self.sampler

    @property
    def ended(self) -> bool:
        """True behind a token with which the model ends its text or turn."""
        tree = self.tree
        if tree is None or not tree.at_end or not tree.length:
            return False
        last = tree.steps[-1]
        return last.how != "prompt" and last.token.id in self.end_ids

    @property
    def over(self) -> bool:
        """True where nothing more can be asked: behind an end that is one for good."""
        return self.ended and self.ends_for_good

    @property
    def full(self) -> bool:
        """True when the text is as long as the model can read."""
        return bool(self.context and self.tree and self.tree.length >= self.context)

    @property
    def question(self) -> Question | None:
        """What the model has to be asked before anything else can happen."""
        tree = self.tree
        if self.answer is not None or tree is None or tree.focus == 0 or self.over:
            return None
        stands = None if tree.at_end else tree.steps[tree.focus].token.id
        return Question(
            tokens=tree.tokens,
            position=tree.focus,
            sampler=self.sampler,
            seed=tree.current.seed,
            top=self._top,
            stands=stands,
            surprisals_from=tree.first_unknown(),
        )

    @property
    def target(self) -> Target | None:
        """What Enter takes now: the row moved to, else the token that stands at an earlier focus,
        else the model's own draw."""
        tree = self.tree
        if self.answer is None or tree is None:
            return None
        distribution = self.answer.distribution
        if self.cursor is not None and self.cursor < len(distribution.rows):
            forks = not tree.at_end and distribution.rows[self.cursor] != self.answer.stands
            reason = "your choice, on a new branch" if forks else "your choice"
            return Target(distribution.rows[self.cursor], "taken", reason)
        if self.answer.stands is not None:
            return Target(self.answer.stands, "taken", "stands here; on to the next")
        reason = f"the model's draw, seed {tree.current.seed}"
        if distribution.drawn_elsewhere:
            reason = "the server's draw"
        return Target(distribution.drawn, "drawn", reason)

    # --- answers ---------------------------------------------------------------------------

    def arrived(self, question: Question, answer: Answer) -> None:
        """The model answered. An answer to a question that is no longer asked is dropped."""
        tree = self.tree
        if tree is None or question != self.question:
            return
        if question.surprisals_from is not None:
            tree.note_surprisals(question.surprisals_from, answer.surprisals)
        self.answer = self.stale = answer
        self.answered = question
        if self._acted:
            self._show_evidence(None)
        if self.running and not self._queue:
            self._run_on()
        self._pump()

    def failed(self, error: TutorError) -> None:
        """The model could not answer. Nothing that was chosen is touched; rows of an earlier place
        are not left under this one."""
        self.note = error
        self.stale = None
        self.running = False
        self.expecting = False
        self.reading = None
        self._sampler_to_come = None
        self._queue.clear()

    def load(self, state: State) -> None:
        """Go over to another state."""
        self.state = state
        self.running = self.expecting = self._acted = False
        self.reading = self._sampler_to_come = self.note = None
        self.stale = self.answered = None
        self._queue.clear()
        self.forget_answer()

    def forget_answer(self) -> None:
        """Something changed that the answer depends on."""
        self.answer = None
        self.cursor = None

    # --- commands --------------------------------------------------------------------------

    def step(self) -> None:
        """Take what Enter is said to take."""
        self._do(self._step, needs_answer=True)

    def take(self, index: int) -> None:
        """Take the row at `index` (from 0) of those on screen."""
        self._do(lambda: self._take_row(index), needs_answer=True)

    def take_found(self, row: Row) -> None:
        """Take a token that a search found in the present distribution."""
        self._do(lambda: self._choose(row, "taken"), needs_answer=True)

    def expect(self, ask: Callable[[], None]) -> None:
        """Ask for tokens by `ask`, after the commands that wait. Those that come later wait until
        the tokens are there."""

        def begin() -> None:
            self.expecting = True
            ask()

        if self.tree is None:
            self.running = False
            begin()
        else:
            self._do(begin)

    def prompt(self, tokens: Sequence[Token]) -> None:
        """Begin with these tokens: the first tree of this mode, or a branch of the one there.
        Raises `TreeFull`."""
        self.running = False
        if self.tree is None:
            self.state.trees[self.state.mode] = TokenTree(tokens, FIRST_SEED)
        else:
            self.tree.start(tokens)
        self._came()

    def turn(self, tokens: Sequence[Token]) -> None:
        """Add the tokens of the next turn of a conversation. Raises `TreeFull`."""
        if self.tree is not None:
            self.tree.extend(tokens)
            self._came()

    def _came(self) -> None:
        """The tokens that were expected are there."""
        self.expecting = False
        self.forget_answer()
        self._pump()

    def after_all(self, command: Callable[[], None]) -> None:
        """Carry out something else than a step, when its turn comes."""
        if self.tree is None:
            command()
        else:
            self._do(command)

    def back(self) -> None:
        self._do(self._back)

    def move_focus(self, by: int) -> None:
        self._do(lambda: self._move_focus(by))

    def fork(self) -> None:
        self._do(self._fork)

    def new_seed(self) -> None:
        self._do(self._new_seed)

    def move_cursor(self, by: int) -> None:
        """Move the row that Enter takes; above the first row it is the draw again."""
        self._do(lambda: self._move_cursor(by), needs_answer=True)

    def _move_cursor(self, by: int) -> None:
        if self.answer is None:
            return
        rows = self.answer.distribution.rows
        start = -1 if self.cursor is None else self.cursor
        moved = start + by
        if moved >= len(rows) and self._top < MOST_ROWS:
            self._top = min(MOST_ROWS, self._top + ROWS)
            self.answer = None
        self.cursor = None if moved < 0 else min(moved, self._top - 1)

    def set_sampler(self, sampler: SamplerSettings) -> None:
        """A run goes on with the new settings."""

        def set_it() -> None:
            if sampler is self._sampler_to_come:
                self._sampler_to_come = None
            self.state.sampler = sampler
            self.forget_answer()

        if self.tree is None:
            set_it()
        elif self._do(set_it, pauses=False):
            self._sampler_to_come = sampler if self._queue else None

    def pause(self) -> None:
        """Stop running at once; what was taken stays."""
        self.running = False

    def toggle_run(self) -> None:
        """Let the model go on by itself, or stop it at once."""
        if self.running:
            self.running = False
            return
        self._do(self._start_run)

    def switch(self, number: int) -> None:
        """Look at the end of another branch."""
        self._do(lambda: self._switch(number))

    def remove(self, number: int) -> None:
        """Forget a branch."""
        self._do(lambda: self._remove(number))

    def _do(
        self, command: Callable[[], None], *, needs_answer: bool = False, pauses: bool = True
    ) -> bool:
        """Carry out a command when those before it are; False when it was refused."""
        if pauses:
            self.running = False
        if self.tree is None:
            return False
        if len(self._queue) >= QUEUE_LIMIT:
            self.note = f"{QUEUE_LIMIT} steps are waiting for the model."
            return False
        self._queue.append((command, needs_answer))
        self._pump()
        return True

    @property
    def _settled(self) -> bool:
        """Before the first token there is no question, and so nothing to wait for; nor is there
        where all is over."""
        no_question = self.tree is None or self.tree.focus == 0 or self.over
        return self.answer is not None or no_question

    def _pump(self) -> None:
        while self._queue and not self.expecting and (self._settled or not self._queue[0][1]):
            command, _ = self._queue.popleft()
            self.note = None
            self._acted = True
            try:
                command()
            except TutorError as error:
                self.failed(error)

    def _step(self) -> None:
        if self.tree and self.tree.focus == 0:
            self._move_focus(1)
            return
        target = self.target
        if target is not None:
            self._choose(target.row, target.how)

    def _take_row(self, index: int) -> None:
        if self.answer and index < len(self.answer.distribution.rows):
            self._choose(self.answer.distribution.rows[index], "taken")

    def _choose(self, row: Row, how: How) -> None:
        tree = self.tree
        if tree is None:
            return
        if not tree.at_end and tree.steps[tree.focus].token.id == row.token.id:
            self._move_focus(1)
            return
        if self.full and tree.at_end:
            raise ContextFull(
                f"All {self.context:,} tokens that this model can read at once are used.",
                "Go back, or start from a shorter prompt.",
            )
        forked = tree.choose(row.token, how, row.surprisal_bits)
        self._show_evidence(row.rank if how == "taken" else None)
        self.forget_answer()
        if forked:
            self.note = f"Branch {tree.current.number}: the text before it is kept."

    def _back(self) -> None:
        if self.tree and self.tree.back():
            self.forget_answer()

    def _move_focus(self, by: int) -> None:
        if self.tree and self.tree.move(by):
            self.forget_answer()

    def _switch(self, number: int) -> None:
        if self.tree and any(branch.number == number for branch in self.tree.branches):
            self.tree.switch(number)
            self.forget_answer()

    def _remove(self, number: int) -> None:
        if self.tree and self.tree.remove(number):
            self.forget_answer()

    def _fork(self) -> None:
        if self.tree:
            branch = self.tree.fork()
            self.note = f"Branch {branch.number}: what you choose now goes here."
            self.forget_answer()
            self._show_evidence(None)

    def _new_seed(self) -> None:
        """The same prompt with another seed: on a branch of its own, unless nothing has been
        added to the prompt yet."""
        tree = self.tree
        if tree is None:
            return
        seed = max(branch.seed for branch in tree.branches) + 1
        if tree.current.prompt_length < tree.length:
            before = tree.current.number
            tree.fork(tree.current.prompt_length)
            self.note = f"From the prompt again, seed {seed}. Branch {before} is kept."
        else:
            self.note = f"Seed {seed}."
            tree.focus = tree.length
        tree.current.seed = seed
        self.forget_answer()

    # --- running ---------------------------------------------------------------------------

    def _start_run(self) -> None:
        tree = self.tree
        if tree is None:
            return
        if not tree.at_end:
            tree.focus = tree.length
            self.forget_answer()
        self.running = True
        self.run_length = 0
        if self.answer is not None:
            self._run_on()

    def _run_on(self) -> None:
        """Take the model's draw, unless the run is over."""
        tree = self.tree
        if self.answer is None or tree is None:
            return
        if self.run_length >= RUN_LIMIT:
            self.running = False
            self.note = f"Stopped after {RUN_LIMIT} tokens, the limit of one run."
            return
        try:
            self._choose(self.answer.distribution.drawn, "drawn")
        except TutorError as error:
            self.failed(error)
            return
        self.run_length += 1
        if self.ended:
            self.running = False

    def _show_evidence(self, taken_rank: int | None) -> None:
        tree = self.tree
        if tree is None:
            return
        seen = self.answer.distribution if self.answer else None
        rows = seen.rows if seen else ()
        shares: dict[str, float] = {}
        for row in rows:  # of two tokens that look alike, the more probable one counts
            shares.setdefault(visible(row.token.data), row.probability)
        self._on_evidence(
            Evidence(
                top_probability=rows[0].probability if rows else None,
                entropy_bits=seen.entropy_bits if seen else None,
                shares=shares,
                unlisted=rows[-1].probability if rows else 1.0,
                kept=seen.kept if seen else None,
                taken_rank=taken_rank,
                branch_lengths=tree.branch_lengths(),
                written=text_of(tree.steps[tree.current.prompt_length :]),
                ended=self.ended,
                prompt_changed=self._prompt_changed(tree),
            )
        )

    def _prompt_changed(self, tree: TokenTree) -> bool:
        """Whether the text begins with another prompt than the lab's."""
        if self.given is None or self.state.mode == "chat":
            return False
        prompt = itertools.takewhile(lambda step: step.how == "prompt", tree.steps)
        return text_of(prompt).lstrip() != self.given.lstrip()  # some tokenizers begin with a space


def text_of(steps: Iterable[Step]) -> str:
    """What tokens read as, without special ones."""
    data = b"".join(step.token.data for step in steps if not step.token.special)
    return data.decode("utf-8", "replace")
