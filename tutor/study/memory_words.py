"""Say how well a learner remembers answers, in the same words on all screens and in all reports."""

from tutor.language import _
from tutor.learner.review import Memory
from tutor.text import counted

_DAYS_IN_MONTH, _DAYS_IN_YEAR = 30.4, 365.0

RECALL = _("Recall today")
STRENGTH = _("Strength")

RECALL_IS = _("the chance that you would answer right now")
STRENGTH_IS = _("how long recall stays above 90 % without a review")

JUST_SEEN = _("A wrong answer raises recall as well: you have just seen the right one.")
"""Why recall is high although answers were wrong."""

BOTH = _(
    "{recall} is {recall_is}. {just_seen} {strength} is {strength_is}; each review makes it longer."
).format(
    recall=RECALL,
    recall_is=RECALL_IS,
    just_seen=JUST_SEEN,
    strength=STRENGTH,
    strength_is=STRENGTH_IS,
)
"""Three sentences that explain both figures."""


def in_one_line(memory: Memory) -> str:
    """Return both figures as two sentences, or "" if nothing was answered."""
    if memory.recall is None or memory.strength is None:
        return ""
    return f"{RECALL}: {percent(memory.recall)}. {STRENGTH}: {lasting(memory.strength)}."


def percent(share: float) -> str:
    """Return a fraction (0 to 1) as a whole percentage.

    Fractions other than 0 and 1 are never rounded to 0 % or 100 %.
    """
    value = round(100 * share)
    if share > 0 and value == 0:
        return "<1 %"
    if share < 1 and value == 100:
        return ">99 %"
    return f"{value} %"


def lasting(days: float) -> str:
    """Return a strength in words, such as "1 day", "12 days", "3 months" or "2 years"."""
    if days >= 2 * _DAYS_IN_YEAR:
        return counted(round(days / _DAYS_IN_YEAR), "year")
    if days >= 2 * _DAYS_IN_MONTH:
        return counted(round(days / _DAYS_IN_MONTH), "month")
    return counted(max(1, round(days)), "day")


def bring_back(suspended: int) -> str:
    """Say which key brings `suspended` questions back."""
    return _("Press z to bring {value} back.").format(
        value=_("it") if suspended == 1 else _("them")
    )
