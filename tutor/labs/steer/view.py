"""The view of the "Steering" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.labs.kit.actions import EditText, NewSeed
from tutor.labs.kit.columns import ROOMY, Cell, Room, as_many_as_fit, beside, cursor, wrapped
from tutor.labs.kit.keys import LAYERS, LEFT_RIGHT, UP_DOWN, Keys, key, pair, run_and_stop, tab
from tutor.labs.kit.next_tokens.table import next_table
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.steer.lab import DeleteSaved, SaveAs, new_name
from tutor.labs.steer.pairs import sentences, word_sets
from tutor.labs.steer.plots import cost_lines, layer_lines
from tutor.labs.steer.state import VIEWS, State
from tutor.language import _
from tutor.text import counted, safe


class SteerView(LabView):
    """A view of the next token, two continuations, the cost, the layers, or the saved vectors."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "adjust(*, 'strength')", "steer", "Change the strength by 0.25."),
        *pair(LAYERS, "adjust(*, 'layer')", "layer", "Choose the layer."),
        *pair(UP_DOWN, "move_focus(*, 'saved')", "vector", "Choose a saved vector."),
        *tab("next_view(*)", "view", "Show the next token, texts, cost, layers or saved vectors."),
        key(
            "x",
            "choose(1, 'pair')",
            "example",
            "Use another pair of sentence lists.",
            id="next example",
        ),
        key("e", "edit", "edit", "Edit the prompt."),
        key("1", "edit_list('first')", "first list", "Edit the sentences to steer toward."),
        key("2", "edit_list('second')", "second list", "Edit the sentences to steer away from."),
        key("w", "edit_words", "words", "Edit the two sets of words that are measured."),
        key("t", "switch('greedy')", "sampler", "Switch between greedy and sampled texts."),
        key("s", "new_seed", "new seed", "Sample both texts with a new seed."),
        *run_and_stop("r", "run", "Continue the measurement.", "Stop the measurement."),
        key("ctrl+s", "save", "save", "Save the vector of this layer under a name."),
        key("d", "delete", "delete", "Delete the selected vector."),
        key("z", "reset", "reset", "Set the strength to 0, and return to the initial layer."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "adjust:layer": lambda state: state.view != "saved",
        "move_focus:saved": lambda state: state.view == "saved",
        "switch:greedy": lambda state: state.view == "text",
        "new_seed": lambda state: state.view == "text",
        "run": lambda state: state.unfinished,
        "save": lambda state: bool(state.layers),
        "delete": lambda state: state.view == "saved" and bool(state.saved),
    }

    action_delete = does(DeleteSaved)
    action_new_seed = does(NewSeed)

    def action_edit(self) -> None:
        self.write(
            "prompt", _("A text for the model to continue:"), self.state.prompt, edit_sentence
        )

    def action_edit_list(self, which: str) -> None:
        """Open the learner's own list, or an empty field with the shipped list as an example."""
        state: State = self.state
        first = which == "first"
        texts = state.lists.first if first else state.lists.second
        shipped = state.shipped.first_texts if first else state.shipped.second_texts
        label = (
            _("Steer toward (one sentence per line; \\ Enter for a new line):")
            if first
            else _("Steer away from (one sentence per line; \\ Enter for a new line):")
        )
        own = "" if texts == shipped else "\n".join(texts)
        sample = "\n".join(shipped)
        self.write(which, label, own, lambda text: _edited_list(text, which), _counted, sample)

    def action_edit_words(self) -> None:
        words = self.state.words
        text = f"{' '.join(words.first)}; {' '.join(words.second)}"
        self.write("words", _("Words to measure (; separates the two sets):"), text, _edited_words)

    def action_save(self) -> None:
        self.write(
            "vector", _("Name of the vector:"), "", lambda text: SaveAs(new_name(self.state, text))
        )

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        above = [tabs((name, name == state.view) for name in VIEWS)]
        if Room(width, height).low:
            above = []
        above.append(_settings(state, width))
        if not state.layers:
            return [*above, _reading(state.progress, width)]
        panel = {
            "next": _next,
            "text": _texts,
            "cost": cost_lines,
            "layers": layer_lines,
            "saved": _saved,
        }[state.view]
        return [*above, *panel(state, width, height - len(above))]


def _counted(text: str) -> str:
    return counted(sum(bool(line.strip()) for line in text.splitlines()), "sentence")


def _edited_list(text: str, which: str) -> EditText:
    sentences(text)
    return EditText(text, which)


def _edited_words(text: str) -> EditText:
    word_sets(text)
    return EditText(text, "words")


def _reading(progress: Progress | None, width: int) -> Content:
    return reading_line(_("Processing"), progress, width)


def _settings(state: State, width: int) -> Content:
    """Return a line with the lists, the layer and the strength."""
    name = _("your own lists") if state.own else state.shipped.name
    roomy = width >= ROOMY
    layers = _(" of {layers}").format(layers=state.layers) if state.layers and roomy else ""
    groups: list[list[Cell]] = [
        [(_("strength "), MUTED), (f"{state.strength:+.2f}  ", f"{ACT} bold")],
        [(_("layer "), MUTED), (f"{state.layer + 1:>2}", "bold"), (f"{layers}  ", MUTED)],
        [(name, "")],
    ]
    if state.next is not None and roomy:
        said = _("  length: vector {length:.0f}, stream {stream:.0f}").format(
            length=state.next.length, stream=state.next.stream
        )
        groups.append([(said, MUTED)])
    return Content.assemble(*as_many_as_fit(groups, width))


def _prompt(state: State, width: int) -> Content:
    label = _("after  ")
    return Content.assemble((label, MUTED), figures.tail(state.prompt, width - len(label)))


def _next(state: State, width: int, height: int) -> list[Content]:
    low = Room(width, height + 2).low
    found = state.next
    if found is None:
        return [_prompt(state, width), _reading(state.progress, width)]
    heading: list[Cell] = [
        (_("next token"), "bold"),
        (_("  changed by "), MUTED),
        (_("{divergence:.3f} bits").format(divergence=found.after.bits), "bold"),
    ]
    if found.left_out:
        heading.append(
            (_("  {tokens} left out").format(tokens=counted(found.left_out, "token")), MUTED)
        )
    above = [] if low else [_prompt(state, width)]
    below = [*([] if low else [Content("")]), *_measures(state, width)]
    table = next_table(found.rows, width, height - len(above) - len(below) - 1)
    return [*above, Content.assemble(*heading), *table, *below]


def _measures(state: State, width: int) -> list[Content]:
    """Return three lines: the probabilities of both sets of words, and the perplexity."""
    assert state.next is not None
    before, after = state.next.before, state.next.after
    sets = (state.words.first, state.words.second)
    changes = ((before.first, after.first), (before.second, after.second))
    lines = []
    for name, words, known, (old, new) in zip(
        state.names, sets, state.next.known, changes, strict=True
    ):
        said = _("{name} words").format(name=name)
        lines.append(_change(said, figures.percent(old), figures.percent(new)))
        if width >= ROOMY:
            used = " ".join(words)
            if known < len(words):
                used = _("{known} of {count} are single tokens: {used}").format(
                    known=known, count=len(words), used=used
                )
            room = max(0, width - lines[-1].cell_length - 3)
            lines[-1] = Content.assemble(lines[-1], ("   " + figures.fit(used, room), MUTED))
    cost = state.perplexities
    without, with_ = (f"{each:.1f}" for each in cost) if cost else ("…", "…")
    lines.append(_change(_("perplexity"), without, with_))
    if cost is not None and width >= ROOMY:
        said = _("   of neutral text, {change:+.0f} %").format(change=100 * (cost[1] / cost[0] - 1))
        lines[-1] = Content.assemble(lines[-1], (said, MUTED))
    elif width >= ROOMY:
        said = _("   goals count once this is known")
        lines[-1] = Content.assemble(lines[-1], (said, MUTED))
    return lines


def _change(name: str, before: str, after: str) -> Content:
    return Content.assemble(
        (f"{figures.fit(name, 16)}", MUTED),
        before.rjust(9),
        (" →", MUTED),
        (after.rjust(9), "bold"),
    )


def _texts(state: State, width: int, height: int) -> list[Content]:
    """Return both continuations: side by side if there is room, otherwise one below the other."""
    how = _("greedy") if state.greedy else _("sampled, seed {seed}").format(seed=state.seed)
    roomy = width >= ROOMY
    column = width // 2 + 1 if roomy else width
    plain = _text(state, 0, _("unsteered, {how}").format(how=how), column - 2)
    changed = _text(
        state, state.dial, _("strength {strength:+.2f}").format(strength=state.strength), column - 2
    )
    if roomy:
        both = beside(plain, changed, column)
    else:
        half = max(2, (height - 1) // 2)
        both = [*plain[:half], *changed[:half]]
    lines = [_prompt(state, width), *([Content("")] if roomy and height > 8 else []), *both]
    if state.stopped and state.unfinished:
        lines.append(Content.styled(_("Stopped. Press r to continue."), MUTED))
    return lines


def _text(state: State, dial: int, heading: str, width: int) -> list[Content]:
    reply = state.reply(dial)
    text = safe(reply.text) or ("…" if not reply.done else _("(The text ends here.)"))
    return [Content.styled(heading, "bold"), *wrapped(Content(" ".join(text.split())), width)]


def _saved(state: State, width: int, height: int) -> list[Content]:
    if state.saved is None:
        return [_reading(state.progress, width)]
    if not state.saved:
        said = _("No vectors are saved. Press ctrl+s to save the vector of this layer.")
        return [*_failed(state, width), *wrapped(Content.styled(said, MUTED), width)]
    lines = _failed(state, width)
    for at, entry in enumerate(state.saved):
        here = at == state.row
        where = _("layer {layer}, {model}").format(
            layer=entry.layer + 1, model=safe(entry.model_name)
        )
        lines.append(
            Content.assemble(
                cursor(here),
                (figures.fit(safe(entry.name), 20), "bold" if here else ""),
                (figures.fit(where, max(0, width - 24)), MUTED),
            )
        )
        if here and height > 6:
            said = _("    “{first}” … minus “{second}” …").format(
                first=safe(entry.first), second=safe(entry.second)
            )
            lines.append(Content.styled(figures.fit(said, width), MUTED))
    return lines


def _failed(state: State, width: int) -> list[Content]:
    """Return the reason why the last change to the saved vectors failed, or [] if it didn't."""
    said = Content.styled(safe(state.failed), NOT_YET)
    return wrapped(said, width) if state.failed else []


VIEW = SteerView
