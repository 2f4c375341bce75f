"""Say at the end of a review what was answered, and when the next questions are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.figures import when
from tutor.app.widgets.key_names import with_keys
from tutor.language import _, ngettext
from tutor.study.memory_words import bring_back, over_limit

if TYPE_CHECKING:
    from tutor.learner.review import Limits, Queue


def summary(
    queue: Queue, limits: Limits, answered: int, skipped: int, now: float, *, some: bool
) -> Content:
    """Return what the review shows at its end.

    `answered` and `skipped` count the questions of this review, and `some` says whether the learner
    has ever answered a question. `now` is the time, in seconds since the epoch.
    """
    if skipped:
        head = _("{count} answered.").format(count=answered)
    elif answered and queue.held:
        head = _("{count} answered: today's limit is reached.").format(count=answered)
    elif queue.held:
        head = _("Today's limit is reached.")
    elif answered:
        head = _("{count} answered. Nothing else is due.").format(count=answered)
    elif some:
        head = _("Nothing is due.")
    else:
        head = _("Nothing to review yet. Questions appear here once you have answered them.")
    lines = [Content.styled(head, "bold")]
    if skipped:
        lines.append(
            Content(
                ngettext(
                    "{count} left for later; it stays due.",
                    "{count} left for later; they stay due.",
                    skipped,
                ).format(count=skipped)
            )
        )
    if queue.held:
        over = over_limit(queue, limits, more=bool(answered or skipped))
        said = _("{over}. To change it, press , on the course map.").format(over=over)
        lines.append(with_keys(said))
    elif queue.next_at is not None and not skipped:
        lines.append(
            Content(_("The next question is due {when}.").format(when=when(queue.next_at, now)))
        )
    if queue.suspended:
        said = ngettext(
            "{count} question is no longer asked. {bring_back}",
            "{count} questions are no longer asked. {bring_back}",
            queue.suspended,
        ).format(count=queue.suspended, bring_back=bring_back(queue.suspended))
        lines.append(with_keys(said, MUTED))
    more = _("Press Esc to go back.")
    if skipped:
        more = _("Press Enter to answer the questions that you left, or Esc to go back.")
    elif queue.held:
        more = _("Press Enter to review them today after all, or press Esc to go back.")
        if queue.held_back == 1:
            more = _("Press Enter to review it today after all, or press Esc to go back.")
    elif queue.ahead:
        more = _("Press Enter to review some questions early, or press Esc to go back.")
    lines += [Content(""), with_keys(more)]
    return Content("\n").join(lines)
