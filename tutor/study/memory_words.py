"""Describe how well a learner remembers answers, in the same words on all screens and reports."""

from tutor.language import _, ngettext
from tutor.learner.records import Card
from tutor.learner.review import Limits, Memory, Queue
from tutor.learner.schedule import waits_shortest
from tutor.text import counted

_DAYS_IN_MONTH, _DAYS_IN_YEAR = 30.4, 365.0

RECALL = _("Recall today")
STRENGTH = _("Strength")

RECALL_IS = _("the chance of a right answer now")
STRENGTH_IS = _("how long recall stays above 90 % without a review")

JUST_SEEN = _("A wrong answer raises recall as well: you have just seen the right one.")
"""An explanation of why recall can be high after wrong answers."""

BOTH = _(
    "{recall} is {recall_is}. {just_seen} {strength} is {strength_is}; right answers make it "
    "longer."
).format(
    recall=RECALL,
    recall_is=RECALL_IS,
    just_seen=JUST_SEEN,
    strength=STRENGTH,
    strength_is=STRENGTH_IS,
)
"""An explanation of recall and strength."""

AFTER_A_HINT = _("After a hint, a right answer can lead to an earlier review.")
"""How a hint changes the schedule.

It is shown only if `tutor.learner.schedule.hint_matters`.
"""

AFTER_A_GUESS = _("After a guess, a right answer can lead to an earlier review.")
"""How a guess changes the schedule.

It is shown only if `tutor.learner.schedule.guess_matters`.
"""


def in_one_line(memory: Memory) -> str:
    """Return recall and strength in one line, or "" if no question has been answered."""
    if memory.recall is None or memory.strength is None:
        return ""
    return f"{RECALL}: {percent(memory.recall)}. {STRENGTH}: {lasting(memory.strength)}."


def about_wait(card: Card, retention: float) -> str:
    """Return a sentence about the wait if a right answer leads to the shortest one, or ""."""
    if not card.last_correct or not waits_shortest(card, retention):
        return ""
    return _("Right answers on later days make the wait longer.")


def daily_limit(queue: Queue, limits: Limits) -> str:
    """Return a phrase that names the limit which holds back some of the questions in `queue`."""
    if queue.at_cap:
        said = ngettext(
            "the limit of {count} review a day", "the limit of {count} reviews a day", limits.cap
        )
        return said.format(count=limits.cap)
    said = ngettext(
        "the limit of {count} new question a day",
        "the limit of {count} new questions a day",
        limits.new,
    )
    return said.format(count=limits.new)


def reason_to_wait(queue: Queue, limits: Limits) -> str:
    """Return a sentence that says why questions wait for later days."""
    if queue.at_cap:
        allowed = limits.cap
        most = ngettext("{count} question a day", "{count} questions a day", allowed)
    else:
        allowed = limits.new
        most = ngettext("{count} new question a day", "{count} new questions a day", allowed)
    said = _("Reviews ask you at most {limit}, over all lessons, so some questions can come later.")
    if not allowed:
        said = _("Reviews ask you at most {limit}.")
    return said.format(limit=most.format(count=allowed))


def over_limit(queue: Queue, limits: Limits, *, more: bool) -> str:
    """Return how many questions are due over the daily limit, without a period at the end.

    If `more`, the learner knows of other questions that are due or were due today.
    """
    held_back = queue.held_back
    if more:
        said = ngettext(
            "{count} more is due, over {limit}", "{count} more are due, over {limit}", held_back
        )
    else:
        said = ngettext(
            "{count} question is due, over {limit}",
            "{count} questions are due, over {limit}",
            held_back,
        )
    return said.format(count=held_back, limit=daily_limit(queue, limits))


def percent(share: float) -> str:
    """Format a fraction from 0 to 1 as a percentage without decimals.

    Only 0 and 1 become 0 % and 100 %. Fractions close to them become "<1 %" and ">99 %".
    """
    value = round(100 * share)
    if share > 0 and value == 0:
        return "<1 %"
    if share < 1 and value == 100:
        return ">99 %"
    return f"{value} %"


def lasting(days: float) -> str:
    """Format a number of days, such as "1 day", "12 days", "3 months" or "2 years"."""
    if days >= 2 * _DAYS_IN_YEAR:
        return counted(round(days / _DAYS_IN_YEAR), "year")
    if days >= 2 * _DAYS_IN_MONTH:
        return counted(round(days / _DAYS_IN_MONTH), "month")
    return counted(max(1, round(days)), "day")


def bring_back(suspended: int) -> str:
    """Return a sentence that says which key brings back the suspended questions.

    `suspended` is their number.
    """
    return _("Press z to bring {value} back.").format(
        value=_("it") if suspended == 1 else _("them")
    )
