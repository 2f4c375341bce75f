"""The text of the two views in which the learner edits rules and intents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures, plot
from tutor.app.widgets.key_names import with_keys
from tutor.bots import rules
from tutor.errors import TutorError
from tutor.labs.generations.chat_lines import captured, cut_to_lines
from tutor.labs.kit.columns import LOW, ROOMY, around, clipped, cursor
from tutor.language import _
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Collection

    from tutor.bots.bank import Intent
    from tutor.bots.rules import Rule, RuleBook
    from tutor.labs.generations.state import State

_DETAILS = 5


def rule_lines(state: State, width: int, height: int) -> list[Content]:
    """Return the test sentence, the reply to it, and all rules from the highest priority down.

    Details of the selected rule follow the list.
    """
    fits = state.fits
    speaks = next(iter(fits), None)
    reply = rules.reply(state.book, [state.sentence])
    count = _("{count} of {rules} fit{value}").format(
        count=len(fits), rules=counted(len(state.rules), "rule"), value="s" * (len(fits) == 1)
    )
    above = [
        Content.assemble(
            (_("sentence "), MUTED), (clipped(safe(state.sentence), width - 9), "bold")
        ),
        Content.assemble((_("answer   "), MUTED), clipped(safe(reply.text), width - 9)),
        Content.styled(
            clipped(_("{count}.  ✓ fits   ► answers").format(count=count), width), MUTED
        ),
    ]
    shown = state.rules_shown
    details = _rule_details(shown[state.rule], state, width) if shown else []
    details = details[: _DETAILS if height >= LOW else 0]
    if height < LOW:
        del above[1]
    room = max(2, height - len(above) - len(details))
    listed = [
        _rule_row(shown[place], place == state.rule, fits, speaks, width)
        for place in around(state.rule, len(shown), room)
    ]
    return [*above, *listed, *details]


def _rule_row(
    rule: Rule, here: bool, fitting: Collection[str], speaks: str | None, width: int
) -> Content:
    fits = rule.name in fitting
    mark = "►" if rule.name == speaks else "✓" if fits else " "
    pattern = max(10, min(36, (width - 9) // 2))
    answer = max(0, width - 9 - pattern - 1)
    return Content.assemble(
        cursor(here),
        (mark, RIGHT),
        (f"{rule.priority:>4}  ", MUTED),
        (figures.fit(rule.patterns[0], pattern), "bold" if here else ""),
        " ",
        (figures.fit(safe(rule.answers[0]), answer), MUTED if not fits else ""),
    )


def _rule_details(rule: Rule, state: State, width: int) -> list[Content]:
    fit = state.fits.get(rule.name)
    patterns = " · ".join(rule.patterns)
    answers = " · ".join(rule.answers)
    words = ", ".join(captured(fit.pattern, state.sentence)) if fit else ""
    found = (
        _("fits; captured: {captured}").format(captured=words)
        if words
        else _("fits")
        if fit
        else _("does not fit")
    )
    whose = "yours" if rule.own else rule.name
    return [
        Content.assemble((f"{whose}: ", "bold"), clipped(found, width - len(whose) - 2)),
        *cut_to_lines(patterns, width, 2, MUTED),
        *cut_to_lines(answers, width, 2),
    ]


def verdict_on_rule(book: RuleBook, line: str, sentence: str) -> str:
    """Return a comment on the rule being edited: its error, or whether it matches `sentence`."""
    try:
        rule = rules.parse(line, "yours")
    except TutorError as error:
        return error.happened
    alone = replace(book, rules=(rule,))
    reply = rules.reply(alone, [sentence])
    return (
        _("fits: {text}").format(text=reply.text) if reply.fits else _("does not fit the sentence")
    )


def verdict_on_sentence(book: RuleBook, sentence: str) -> str:
    """Return a comment on the sentence being edited: the rule that matches it, and the reply."""
    reply = rules.reply(book, [sentence])
    return f"{reply.fits[0].rule}: {reply.text}" if reply.fits else _("no rule fits")


def intent_lines(state: State, width: int, height: int, *, training: bool) -> list[Content]:
    """Return the progress of the training, all intents, and details of the selected intent.

    `training` is true while the network is being trained.
    """
    intents = state.bank.intents
    about = _("   about") if width >= ROOMY else ""
    heading = f"  {_('intent'):<15}{_('phrases'):>8}{_('held out'):>10}{about}"
    above = [*_training(state, width, training=training), Content.styled(heading, MUTED)]
    details = _intent_details(intents[state.intent], state, width)
    details = details[: _DETAILS if height >= LOW else 0]
    if height < LOW:
        above.pop()
    room = max(2, height - len(above) - len(details))
    listed = [
        _intent_row(intents[place], place == state.intent, state, width)
        for place in around(state.intent, len(intents), room)
    ]
    return [*above, *listed, *details]


def _training(state: State, width: int, *, training: bool) -> list[Content]:
    trained = state.trained
    if trained is None:
        template = (
            _("{phrases} phrases, {count} intents. Training begins now.")
            if training
            else _("{phrases} phrases, {count} intents. Press r to train.")
        )
        said = template.format(phrases=state.bank.phrases, count=len(state.bank.intents))
        return [*cut_to_lines(said, width, 2, MUTED), Content("")][:2]
    steps = _("step {count:>3} of {total}  {seconds:4.1f} s").format(
        count=len(trained.losses), total=trained.total, seconds=trained.seconds
    )
    steps = f"{steps}  " if width >= ROOMY else ""
    loss = _("error on the examples {error:5.3f} ").format(error=trained.losses[-1])
    room = max(8, min(40, width - len(steps) - len(loss)))
    before = ""
    if state.own and state.first_right is not None:
        before = _(", {first_right} without yours. Press e to ask the bots.").format(
            first_right=state.first_right
        )
    return [
        Content.assemble((steps, MUTED), loss, plot.trend(trained.losses, room)),
        Content.assemble(
            (_("{right} of {of}").format(right=trained.right, of=trained.of), "bold"),
            with_keys(
                clipped(_(" held-out phrases right{before}").format(before=before), width - 10)
            ),
        ),
    ]


def _intent_row(intent: Intent, here: bool, state: State, width: int) -> Content:
    wrong = _wrong(intent, state)
    of = len(intent.held_out)
    right = (
        "–"
        if state.trained is None or not of
        else _("{of} of {of2}").format(of=of - len(wrong), of2=of)
    )
    about = figures.fit(intent.about, max(0, width - 38)) if width >= ROOMY else ""
    return Content.assemble(
        cursor(here),
        (figures.fit(intent.name, 15), "bold" if here else ""),
        f"{len(intent.phrases):>8}",
        (f"{right:>10}", NOT_YET if wrong else ""),
        (f"   {about}", ACT if intent.own else MUTED),
    )


def _wrong(intent: Intent, state: State) -> list[tuple[str, str]]:
    """Return the intent's held-out phrases that are misclassified, with the predicted intents."""
    wrong = state.trained.wrong if state.trained else ()
    return [(phrase, got) for phrase, wanted, got in wrong if wanted == intent.name]


def _intent_details(intent: Intent, state: State, width: int) -> list[Content]:
    missed = [
        Content.assemble(
            ("× ", NOT_YET),
            clipped(_("{phrase}  classified as {got}").format(phrase=phrase, got=got), width - 2),
        )
        for phrase, got in _wrong(intent, state)[:2]
    ]
    phrases = " · ".join(intent.phrases)
    return [*missed, *cut_to_lines(phrases, width, max(1, 4 - len(missed)), MUTED)]
