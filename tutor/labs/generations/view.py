"""Draws the lab of three generations, part by part, and makes actions of its keys."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tutor.bots import rules
from tutor.labs.generations import chat_lines as bot_chat_lines
from tutor.labs.generations import probe_lines as bot_probe_lines
from tutor.labs.generations import workshop_lines as bot_workshop_lines
from tutor.labs.generations.actions import (
    AddIntent,
    Again,
    Anew,
    DropIntent,
    DropRule,
    Look,
    Move,
    NextProbe,
    Part,
    Predict,
    PutRule,
    Run,
    Say,
    Sentence,
    ShippedRules,
    Train,
)
from tutor.labs.generations.lab import GREEDY, PARTS, SENSIBLE
from tutor.labs.generations.state import State
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.content import Content

WHERE = {
    "say": ("chat",),
    "step": ("chat",),
    "look": ("chat",),
    "again": ("chat",),
    "anew": ("chat",),
    "test": ("rules",),
    "add_rule": ("rules",),
    "change_rule": ("rules",),
    "drop_rule": ("rules",),
    "shipped": ("rules",),
    "add_intent": ("intents",),
    "drop_intent": ("intents",),
    "train": ("intents",),
    "predict": ("probes",),
    "run": ("probes",),
    "probe": ("probes",),
    "move": ("chat", "rules", "intents", "probes"),
    "scroll_up": ("table",),
    "scroll_down": ("table",),
}
"""In which parts of the lab an action is there."""
NEW_RULE = "50: * parrot * = Poor parrot!"
NEW_INTENT = "music: do you lend records; where are the CDs; any vinyl = Upstairs, on the left."


class GenerationsView(LabView):
    """Chat, rules, intents, probes, and the comparison: one of them at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "part(1)", "part", tooltip="Chat, rules, intents, probes, table: next."),
        Binding("shift+tab", "part(-1)", show=False),
        Binding("e", "say", "write", tooltip="Write a message to all three bots."),
        Binding("left", "look(-1)", "bot", key_display="←→", tooltip="Look at another bot."),
        Binding("right", "look(1)", show=False),
        Binding("up", "move(-1)", "row", key_display="↑↓", tooltip="Another row, or token."),
        Binding("down", "move(1)", show=False),
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        Binding("enter", "step", "stepper", tooltip="Open what was generated in the stepper."),
        Binding("r", "again(False)", "ask again", tooltip="The same message once more."),
        Binding("n", "again(True)", "other luck", tooltip="The same message, and the model draws."),
        Binding("c", "anew", "new talk", tooltip="Begin another conversation."),
        Binding("e", "test", "sentence", tooltip="Write a sentence to hold against the rules."),
        Binding("a", "add_rule", "add", tooltip="Write a rule of your own."),
        Binding("enter", "change_rule", "change", tooltip="Change this rule."),
        Binding("d", "drop_rule", "delete", tooltip="Throw this rule away."),
        Binding("o", "shipped", "originals", tooltip="All rules as they were to begin with."),
        Binding("a", "add_intent", "add", tooltip="Write an intent of your own, and train."),
        Binding("d", "drop_intent", "delete", tooltip="Throw away this intent of yours."),
        Binding("t", "train", "train, stop", tooltip="Train the network; again: other seed."),
        Binding("right", "predict(1)", "predict", key_display="←→", tooltip="Who breaks first?"),
        Binding("left", "predict(-1)", show=False),
        Binding("enter", "run", "run, stop", tooltip="Put all messages to all three bots; stop."),
        Binding(
            "n", "probe(1)", "message", key_display="p/n", tooltip="Another of these messages."
        ),
        Binding("p", "probe(-1)", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if action not in WHERE:
            return True
        if state is None or PARTS[state.part] not in WHERE[action]:
            return False
        if action == "step":
            return state.turn is not None and bool(state.turn.written.tokens)
        if action in ("again", "anew"):
            return state.turn is not None
        if action == "drop_intent":
            return state.bank.intents[state.intent].own
        return True

    # --- keys -----------------------------------------------------------------------------------

    def action_part(self, by: int) -> None:
        self.did(Part(by))

    def action_look(self, by: int) -> None:
        self.did(Look(by))

    def action_move(self, by: int) -> None:
        self.did(Move(by))

    def action_say(self) -> None:
        self.write("A message to all three bots:", "", Say)

    def action_again(self, luck: bool) -> None:
        self.did(Again(luck))

    def action_anew(self) -> None:
        self.did(Anew())

    def action_step(self) -> None:
        state: State = self.state
        turn = state.turn
        if turn is None:
            return
        written = [
            Step(each.token, "drawn", -math.log2(max(each.probability, 1e-300)))
            for each in turn.written.tokens
        ]
        sampler = SENSIBLE if turn.luck else GREEDY
        seed = max(1, turn.luck)
        self.post_message(
            self.Stepper(
                turn.written.prompt, written, sampler, seed, min(state.token, len(written))
            )
        )

    def action_test(self) -> None:
        state: State = self.state
        self.write(
            "A sentence for the rules:",
            state.sentence,
            Sentence,
            lambda text: bot_workshop_lines.verdict_on_sentence(state.book, text),
        )

    def action_add_rule(self) -> None:
        self._write_rule("A rule, PRIORITY: PATTERN = ANSWER", NEW_RULE, "")

    def action_change_rule(self) -> None:
        state: State = self.state
        if state.rules:
            rule = state.rules_shown[state.rule]
            self._write_rule(f"The rule {rule.name}:", rules.as_written(rule), rule.name)

    def _write_rule(self, label: str, text: str, instead: str) -> None:
        state: State = self.state

        def put(line: str) -> PutRule:
            rules.written(line, "yours")  # or it says what is wrong with it
            return PutRule(line, instead)

        self.write(
            label,
            text,
            put,
            lambda line: bot_workshop_lines.verdict_on_rule(state.book, line, state.sentence),
        )

    def action_drop_rule(self) -> None:
        self.did(DropRule())

    def action_shipped(self) -> None:
        self.did(ShippedRules())

    def action_add_intent(self) -> None:
        self.write("NAME: PHRASE; PHRASE; PHRASE = ANSWER", NEW_INTENT, AddIntent)

    def action_drop_intent(self) -> None:
        self.did(DropIntent())

    def action_train(self) -> None:
        self.did(Train())

    def action_predict(self, by: int) -> None:
        self.did(Predict(by))

    def action_run(self) -> None:
        self.did(Run())

    def action_probe(self, by: int) -> None:
        self.did(NextProbe(by))

    # --- drawing --------------------------------------------------------------------------------

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        names = tabs((name, place == state.part) for place, name in enumerate(PARTS))
        if names.cell_length > width:
            names = tabs(((PARTS[state.part], True), (f"{state.part + 1} of {len(PARTS)}", False)))
        rows = height - 1
        match PARTS[state.part]:
            case "chat":
                shown = bot_chat_lines.chat(state, width, rows)
            case "rules":
                shown = bot_workshop_lines.rule_lines(state, width, rows)
            case "intents":
                shown = bot_workshop_lines.intent_lines(state, width, rows)
            case "probes":
                shown = bot_probe_lines.probe_lines(state, width, rows)
            case _:
                shown = bot_probe_lines.table_lines(state, width)
        return [names, *shown]


VIEW = GenerationsView
