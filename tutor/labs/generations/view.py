"""The view of the "Three generations" lab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.explorer.document import Document
from tutor.app.key_scheme import lab_keys
from tutor.app.theme import MUTED
from tutor.bots import rules
from tutor.labs.generations import actions, chat_lines, probe_lines, workshop_lines
from tutor.labs.generations.lab import GREEDY, SENSIBLE, question
from tutor.labs.generations.questions import AskTraining
from tutor.labs.generations.state import VIEWS, State, View
from tutor.labs.kit.actions import EditText, Run, ShowView
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, UP_DOWN, key, pair, run_and_stop, tab
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does
from tutor.language import _
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from collections.abc import Sequence


ONLY_IN: dict[View, tuple[str, ...]] = {
    "chat": ("say", "step", "bot", "again", "new_conversation", "row"),
    "rules": ("test", "add_rule", "change_rule", "drop_rule", "reset", "row"),
    "intents": ("chat", "add_intent", "drop_intent", "train", "row"),
    "probes": ("chat", "choose", "run", "run_again", "probe", "row"),
    "table": ("chat", "scroll_up", "scroll_down"),
}
"""Maps each view to its actions and focus axes, except those that every view has."""
NEW_RULE = "50: * parrot * = Poor parrot!"
NEW_INTENT = "music: any records; where are the CDs; any vinyl = Upstairs."


class GenerationsView(LabView):
    """A view of the chat, the rules, the intents, the probes, or the comparison table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *tab("next_view(*)", "view", "Show the chat, rules, intents, probes or table."),
        key("e", "say", "write", "Write a message to all three bots."),
        # The key line has no room for the chat's key, but lessons may name it.
        Binding("e", "chat", show=False, tooltip="Write a message in the chat.", id="write"),
        *pair(LEFT_RIGHT, "move_focus(*, 'bot')", "bot", "Choose another bot."),
        *pair(UP_DOWN, "move_focus(*, 'row')", "row", "Choose another row or token."),
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        key("r", "again(False)", "ask again", "Send the same message again."),
        key("s", "again(True)", "new seed", "Send the message again with a new seed."),
        key("enter", "step", "stepper", "Open the stepper with the generated answer."),
        key("c", "new_conversation", "new chat", "Start a new conversation."),
        key("a", "add_rule", "add", "Add a rule of your own."),
        key(
            "e",
            "test",
            "sentence",
            "Edit the sentence that the rules are tested on.",
            id="edit",
        ),
        key("enter", "change_rule", "rule", "Edit this rule.", id="edit-rule"),
        key("d", "drop_rule", "delete", "Delete this rule."),
        key("z", "reset", "reset", "Restore the original rules."),
        key("a", "add_intent", "add", "Add an intent of your own and retrain the network."),
        key("d", "drop_intent", "delete", "Delete this intent."),
        key("r", "train", "train", "Train the network."),
        *pair(
            LEFT_RIGHT,
            "choose(*, 'prediction')",
            "predict",
            "Predict the weakest bot for this kind.",
        ),
        *run_and_stop("r,enter", "run", _("Send all messages to all three bots.")),
        key("r", "run_again", "run again", "Discard the scores and run again.", id="run"),
        *pair(P_N, "move_focus(*, 'probe')", "message", "Show another message of this kind."),
    ]
    FIRST_KEYS = lab_keys("a")
    VIEWS = VIEWS
    OFFERED: ClassVar[Offered[State]] = {
        "run": lambda state: not state.finished,
        "run_again": lambda state: state.finished,
    }

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if not super().check_action(action, parameters):
            return False
        if state is not None and action == "stop" and self._outdated(state):
            return False  # In this case, `r` sends the message again.
        if state is not None and action == "train" and (self.runs(state) or self._trains(state)):
            return False  # In this case, `r` stops the run.
        name = str(parameters[1]) if action == "move_focus" else action
        if not any(name in names for names in ONLY_IN.values()):
            return True
        if state is None or name not in ONLY_IN[state.view]:
            return False
        if action == "step":
            return state.turn is not None and bool(state.turn.written.tokens)
        if action == "again":
            return self._can_ask_again(state, new_seed=parameters == (True,))
        if action == "new_conversation":
            return state.turn is not None
        if action == "drop_intent":
            return state.bank.intents[state.intent].own
        return True

    def _can_ask_again(self, state: State, *, new_seed: bool) -> bool:
        """Return True if the last message can be sent again.

        With a new seed, the generative bot must have begun to reply. Otherwise, the message must
        have been answered, or a bot must have changed since it replied.
        """
        turn = state.turn
        if turn is None:
            return False
        if self._outdated(state) and not new_seed:
            return True
        answered = bool(turn.written.tokens) if new_seed else not turn.waits
        return answered and not self.runs(state)

    def _outdated(self, state: State) -> bool:
        """Return True if the chat shows a reply of a bot that the learner has since changed."""
        return state.view == "chat" and state.turn is not None and bool(state.turn.outdated)

    def _trains(self, state: State) -> bool:
        """Return True if the network is being trained, possibly because a message waits for it."""
        asks = self.is_attached and self.host.busy
        return state.training or (asks and isinstance(question(state), AskTraining))

    def runs(self, state: State) -> bool:
        return state.training or state.running

    def action_stop(self) -> None:
        self.did(actions.Train() if self.state.training else Run())

    action_run_again = does(Run)

    def action_chat(self) -> None:
        self.did(ShowView("chat"))
        self.action_say()

    def action_say(self) -> None:
        sample = "My parrot ate my library card."
        self.write(
            "message", _("Message to all three bots:"), "", actions.SendMessage, sample=sample
        )

    def action_again(self, new_seed: bool) -> None:
        self.did(actions.AskAgain(new_seed))

    action_new_conversation = does(actions.NewConversation)

    def action_step(self) -> None:
        state: State = self.state
        turn = state.turn
        if turn is None:
            return
        written = [
            Step(each.token, "drawn", -math.log2(max(each.probability, 1e-300)))
            for each in turn.written.tokens
        ]
        sampler = SENSIBLE if turn.seed else GREEDY
        seed = max(1, turn.seed)
        at = min(state.token, len(written))
        # A reply without a prompt was restored, so another model may have generated it.
        own = [
            [chosen.token for chosen in each.written.tokens] if each.written.prompt else []
            for each in state.turns[:-1]
        ]
        begin = Document.of_conversation(
            turn.written.prompt, written, sampler, seed=seed, at=at, own=own
        )
        self.post_message(self.Stepper(begin))

    def action_test(self) -> None:
        state: State = self.state
        self.write(
            "sentence",
            _("Sentence to test the rules on:"),
            state.sentence,
            EditText,
            lambda text: workshop_lines.verdict_on_sentence(state.book, text),
        )

    def action_add_rule(self) -> None:
        self._write_rule(_("Rule, as PRIORITY: PATTERN = ANSWER"), sample=NEW_RULE)

    def action_change_rule(self) -> None:
        state: State = self.state
        if state.rules:
            rule = state.rules_shown[state.rule]
            label = _("Rule {name}:").format(name=rule.name)
            self._write_rule(label, rules.as_line(rule), rule.name)

    def _write_rule(
        self, label: str, text: str = "", instead: str = "", *, sample: str = ""
    ) -> None:
        state: State = self.state

        def put(line: str) -> actions.PutRule:
            rules.parse(line, "yours")  # The input field shows any error.
            return actions.PutRule(line, instead)

        self.write(
            f"rule {instead}" if instead else "new rule",
            label,
            text,
            put,
            lambda line: workshop_lines.verdict_on_rule(state.book, line, state.sentence),
            sample,
        )

    action_drop_rule = does(actions.DropRule)

    def action_add_intent(self) -> None:
        label = _("NAME: PHRASE; PHRASE; PHRASE = ANSWER")
        self.write("intent", label, "", actions.AddIntent, sample=NEW_INTENT)

    action_drop_intent = does(actions.DropIntent)
    action_train = does(actions.Train)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        names = tabs((name, name == state.view) for name in VIEWS)
        if names.cell_length > width:
            place = _("{index} of {count}").format(
                index=VIEWS.index(state.view) + 1, count=len(VIEWS)
            )
            names = Content.assemble(tabs([(state.view, True)]), "  ", (place, MUTED))
        rows = height - 1
        match state.view:
            case "chat":
                shown = chat_lines.chat(state, width, rows)
            case "rules":
                shown = workshop_lines.rule_lines(state, width, rows)
            case "intents":
                training = self._trains(state)
                shown = workshop_lines.intent_lines(state, width, rows, training=training)
            case "probes":
                shown = probe_lines.probe_lines(state, width, rows)
            case "table":
                shown = probe_lines.table_lines(state, width)
        return [names, *shown]


VIEW = GenerationsView
