"""A lab that compares how certain the model is of its answers with how often they are right.

The learner can ask a question of their own, or a prepared set of questions about real and invented
things. There are three ways to ask: only the question, the question after a sentence that contains
the answer, and the question with a system message that allows the answer "I do not know".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.certainty.calibration import Bin, bins
from tutor.labs.certainty.real_and_invented import Item, Verdict, gist, items, verdict
from tutor.labs.kit.actions import Choose, EditText, Run, ShowView, cycled, moved
from tutor.labs.kit.lab import Goal, Lab, goal
from tutor.labs.kit.progress import Progress, at_pace
from tutor.labs.kit.reply import LENGTH, Reply
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.work import work
from tutor.language import _

LONGEST = 400
"""The maximum length of the learner's own question, in characters. If the question is longer, only
its end is used."""
SYSTEM = "Answer the question. If you do not know the answer, say: I do not know."

Way = Literal["plain", "fact", "unsure"]
View = Literal["answer", "calibration", "ways"]

WAYS: tuple[Way, ...] = ("plain", "fact", "unsure")
VIEWS: tuple[View, ...] = ("answer", "calibration", "ways")


Action = EditText | Choose[Literal["question", "way"]] | ShowView[View] | Run
"""`EditText` asks the learner's own question. `Run` samples answers if the answer view is shown. In
the other views, it asks all questions of the set."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The question set and the limits of the lab.

    `draws` is the number of sampled answers, and `length` the maximum number of tokens in an
    answer.
    """

    items: tuple[Item, ...] = msgspec.field(default_factory=items)
    draws: int = 10
    length: int = LENGTH


LIMITS = Limits()


class Prompt(msgspec.Struct, frozen=True):
    """A prompt: a user message, with or without a system message."""

    message: str
    system: str = ""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to continue these replies to a prompt for one time slice.

    Tokens are sampled with `seed`. Without a seed, decoding is greedy.
    """

    prompt: Prompt
    replies: tuple[Reply, ...]
    seed: int | None = None


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The response to `Question`: the continued replies, and the computing time in seconds."""

    replies: tuple[Reply, ...]
    seconds: float


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        at: The index of the selected question of the set.
        own: The learner's own question. If it is not empty, it is used instead of the selected one.
        left_out: The number of characters that were cut from the learner's question.
        way: The way of asking.
        drawing: The prompt for which answers are being sampled, or None.
        running: The ways of asking in the current run of the whole set, empty if there is no run.
        seed: The seed of the samples.
        answers: The greedy reply to each prompt.
        draws: The sampled replies to each prompt.
        spent: The total computing time in seconds.
        answered: The number of tokens generated in that time.

    Sampling and asking the whole set continue when the learner switches to another view.
    """

    limits: Limits = LIMITS
    at: int = 0
    own: str = ""
    left_out: int = 0
    way: Way = "plain"
    view: View = "answer"
    drawing: Prompt | None = None
    running: tuple[Way, ...] = ()
    seed: int = 1
    answers: dict[Prompt, Reply] = {}
    draws: dict[Prompt, tuple[Reply, ...]] = {}
    spent: float = 0.0
    answered: int = 0

    @property
    def item(self) -> Item | None:
        return None if self.own else self.limits.items[self.at]

    @property
    def prompt(self) -> Prompt:
        return _prompt(self.own or self.limits.items[self.at], self.way)

    @property
    def reply(self) -> Reply | None:
        """The greedy reply to the current prompt, or None if it isn't complete."""
        return done_reply(self, self.prompt)

    @property
    def unwritten(self) -> Reply:
        return Reply(most=self.limits.length)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The accepted answers to the selected question."""
        item = self.item
        return () if item is None else item.accepted(with_fact=self.way == "fact")


def _prompt(asked: Item | str, way: Way) -> Prompt:
    """Return the prompt for a question and a way of asking it.

    The learner's own question is never combined with a fact, since the learner can include one in
    the question.
    """
    ask = asked if isinstance(asked, str) else asked.ask
    if way == "fact" and isinstance(asked, Item):
        return Prompt(f"{asked.fact} {ask}")
    return Prompt(ask, SYSTEM if way == "unsure" else "")


def done_reply(state: State, prompt: Prompt) -> Reply | None:
    reply = state.answers.get(prompt)
    return reply if reply is not None and reply.done else None


def start(limits: Limits = LIMITS) -> State:
    return State(limits=limits, at=_place(limits.items, "Treaty of Belmark"))


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            kept = _own_question(text)
            return replace(state, own=kept, left_out=len(text.strip()) - len(kept))
        case Choose(by=by, what=what):
            return _chosen(state, by, what)
        case ShowView(view=view):
            return replace(state, view=view)
        case Run() if state.drawing or state.running:
            return replace(state, drawing=None, running=())
        case Run() if state.view == "answer":
            return _drawn(state)
        case Run():
            ways = asked_ways(state)
            return replace(state, running=ways if any(_owed(state, ways)) else ())


def lost(before: State, after: State) -> str:
    """Return a sentence about what an action has removed from the screen.

    Returns "" if the action has removed nothing.
    """
    if before.own and not after.own:
        return _("Your own question was removed.")
    if before.seed != after.seed:
        return _("The samples with the earlier seed were removed.")
    return ""


def _own_question(text: str) -> str:
    if not text.strip():
        raise LabError("The question is empty.", "Write a question, or press Esc to cancel.")
    return text.strip()[-LONGEST:]


def _chosen(state: State, by: int, what: Literal["question", "way"]) -> State:
    match what:
        case "question":
            at = state.at if state.own else (state.at + by) % len(state.limits.items)
            return replace(state, at=at, own="", left_out=0)
        case "way":
            return replace(state, way=cycled(WAYS, state.way, by))


def _drawn(state: State) -> State:
    drawn = state.draws.get(state.prompt, ())
    if not drawn or not all(reply.done for reply in drawn):
        return replace(state, drawing=state.prompt)
    left = {prompt: kept for prompt, kept in state.draws.items() if prompt != state.prompt}
    return replace(state, draws=left, seed=state.seed + 1, drawing=state.prompt)


def asked_ways(state: State) -> tuple[Way, ...]:
    """Return the ways of asking in the current run.

    If no run is in progress, return the ways that a new run would use.
    """
    return state.running or (WAYS if state.view == "ways" else (state.way,))


def _owed(state: State, ways: Iterable[Way]) -> Iterator[Prompt]:
    """Yield the prompts for these ways of asking that don't have a complete reply yet."""
    prompts = (_prompt(item, way) for way in ways for item in state.limits.items)
    return (prompt for prompt in prompts if done_reply(state, prompt) is None)


Does = Literal["draw", "redraw", "draw_rest", "ask_all", "ask_rest", "stop"]


def does(state: State) -> Does | None:
    """Return what `Run` would do in this state, or None if no question is left to ask."""
    if state.drawing or state.running:
        return "stop"
    if state.view == "answer":
        drawn = state.draws.get(state.prompt)
        if not drawn:
            return "draw"
        return "redraw" if all(reply.done for reply in drawn) else "draw_rest"
    asked = progress(state)
    return None if asked.done == asked.total else "ask_rest" if asked.done else "ask_all"


def progress(state: State) -> Progress:
    """Return the progress of asking all questions of the set, with an estimate of the time left."""
    ways = asked_ways(state)
    total = len(ways) * len(state.limits.items)
    done = total - len(list(_owed(state, ways)))
    finished = [reply for reply in state.answers.values() if reply.done]
    if not state.answered or not finished:
        return Progress(done, total)
    each = sum(len(reply.ids) for reply in finished) / len(finished)
    return at_pace(done, total, each * state.spent / state.answered)


def question(state: State) -> Question | None:
    """Return the next request, or None if nothing is left to generate.

    In the answer view, the reply to the selected question comes first. Samples come next, and then,
    during a run, the remaining questions of the set.
    """
    prompt = state.prompt
    if state.view == "answer" and state.reply is None:
        return Question(prompt, (state.answers.get(prompt, state.unwritten),))
    if state.drawing is not None:
        drawn = state.draws.get(state.drawing) or (state.unwritten,) * state.limits.draws
        return Question(state.drawing, drawn, state.seed)
    owed = next(_owed(state, state.running), None)
    return Question(owed, (state.answers.get(owed, state.unwritten),)) if owed else None


def receive(state: State, question: Question, answer: Answer) -> State:
    if question.seed is not None:
        drawn = {**state.draws, question.prompt: answer.replies}
        done = all(reply.done for reply in answer.replies)
        return replace(state, draws=drawn, drawing=None if done else state.drawing)
    (before,), (reply,) = question.replies, answer.replies
    new = replace(
        state,
        answers={**state.answers, question.prompt: reply},
        spent=state.spent + answer.seconds,
        answered=state.answered + len(reply.ids) - len(before.ids),
    )
    return replace(new, running=state.running if any(_owed(new, state.running)) else ())


class Judged(msgspec.Struct, frozen=True):
    """A question of the set, the model's reply, and the verdict on the reply.

    `good` is True if the reply is right. It is also True if the model declines to answer a question
    that has no right answer.
    """

    item: Item
    reply: Reply
    verdict: Verdict
    good: bool


def judged(state: State, way: Way) -> Iterator[Judged]:
    """Yield the answered questions of the set, with verdicts, for one way of asking."""
    for item in state.limits.items:
        reply = done_reply(state, _prompt(item, way))
        if reply is not None:
            accepted = item.accepted(with_fact=way == "fact")
            said = verdict(reply.text, accepted)
            yield Judged(item, reply, said, said == ("right" if accepted else "declined"))


def calibration(found: Iterable[Judged]) -> tuple[Bin, ...]:
    return bins((each.reply.certainty, each.good) for each in found)


def tally(found: Iterable[Judged], *, real: bool) -> Counter[Verdict]:
    """Count the right, wrong and declined answers about real things, or about invented things."""
    return Counter(each.verdict for each in found if each.item.real is real)


def gists(state: State) -> list[tuple[str, int]]:
    """Return the distinct gists of the sampled answers with their counts, most frequent first.

    `real_and_invented.gist` defines the gist of an answer.
    """
    drawn = [reply for reply in state.draws.get(state.prompt, ()) if reply.done]
    asked = state.prompt.message
    return Counter(gist(reply.text, asked, state.accepted) for reply in drawn).most_common()


SURE = 0.75
DIFFERENT = 5


@goal("made-up-anew", "Get at least 5 different answers in ten samples")
def _made_up_anew(state: State) -> bool:
    found = gists(state)
    return sum(count for _, count in found) == state.limits.draws and len(found) >= DIFFERENT


@goal("sure-and-wrong", "Find a wrong answer with a certainty above 75 %")
def _sure_and_wrong(state: State) -> bool:
    return any(
        each.verdict == "wrong" and each.reply.certainty > SURE
        for way in WAYS
        for each in judged(state, way)
    )


@goal("mended", "Turn a wrong answer into a right one by adding the fact")
def _mended(state: State) -> bool:
    """Return True if adding the fact turned the wrong answer to a question into a right one."""
    wrong = {each.item.ask for each in judged(state, "plain") if each.verdict == "wrong"}
    return any(each.verdict == "right" and each.item.ask in wrong for each in judged(state, "fact"))


def _whole(state: State, ways: Iterable[Way]) -> bool:
    prompts = (_prompt(item, way) for way in ways for item in state.limits.items)
    return all(done_reply(state, prompt) is not None for prompt in prompts)


@goal("calibrated", "Ask the whole set in one way")
def _calibrated(state: State) -> bool:
    return any(_whole(state, (way,)) for way in WAYS)


def _place(asked: Sequence[Item], words: str) -> int:
    """Return the index of the first question that contains `words`."""
    return next(place for place, item in enumerate(asked) if words in item.ask)


def _fit(state: State) -> bool:
    """Return True if each prompt has the right number of restored replies, of a valid length."""
    drawn = state.draws.values()
    replies = [*state.answers.values(), *(reply for replies in drawn for reply in replies)]
    return all(len(replies) == state.limits.draws for replies in drawn) and all(
        len(reply.ids) == len(reply.pieces) == len(reply.logs) <= reply.most == state.limits.length
        for reply in replies
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="certainty",
    title="Certainty and truth",
    about="See how sure a model is about real and invented things",
    order=200,
    lesson="made-up",
    task=(
        "Ask about things that exist and things that don't. See how certain each answer is, "
        "whether ten samples agree, and how often the answers are right. Then add the fact to the "
        "prompt."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    results=ModelResults(("answers", "draws"), fit=_fit),
    work=work(
        *("left_out", "way", "view", "seed", "at"),
        own=_own_question,
        mend=lambda state: replace(state, at=moved(state.at, 0, len(state.limits.items))),
    ),
    goals=(
        _made_up_anew,
        _sure_and_wrong,
        _mended,
        _calibrated,
        Goal("three-ways", "Ask the whole set in all three ways", lambda s: _whole(s, WAYS)),
    ),
    solution=(
        Run(),
        Choose(
            _place(items(), "Generative Adversarial") - _place(items(), "Treaty of Belmark"),
            "question",
        ),
        Choose(1, "way"),
        Choose(1, "way"),
        Choose(1, "way"),
        ShowView("calibration"),
        Run(),
        ShowView("ways"),
        Run(),
    ),
)
