"""The commands in the command palette, and the search for a command by its name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tutor.app.key_scheme import MOVE, group_of
from tutor.app.places import PLACES
from tutor.app.widgets.key_names import key_name
from tutor.course.targets import TermTarget
from tutor.labs.kit import registry
from tutor.language import _
from tutor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.app import App
    from textual.binding import ActiveBinding
    from textual.fuzzy import FuzzySearch

    from tutor.app.services import Navigation, Services

SCREEN, LESSON, LAB, TERM = _("screen"), _("lesson"), _("lab"), _("term")
KINDS = frozenset((SCREEN, LESSON, LAB, TERM))
"""The kinds of items that a command can open."""

LONGEST_TITLE = 60
"""The maximum number of characters in a title. Fuzzy search is slow for longer texts."""
_LONGEST_ABOUT = 200
_IN_ABOUT = 0.5
"""The score of a command that matches only by its description. Title matches score higher."""


_OTHER_WORDS = {
    "share": _("export download"),
    "copy": _("clipboard"),
    "settings": _("options preferences configuration"),
    "progress": _("statistics"),
    "glossary": _("dictionary"),
}
"""More words that find a command, by its action or the name of its screen."""


class Command(NamedTuple):
    """A command: its title, a description, and the function that runs it.

    `sign` is the command's key or, if it has none, the kind of item that it opens. `words` contains
    other words under which the command is found.
    """

    title: str
    about: str
    sign: str
    run: Callable[[], object]
    words: str = ""


class Found(NamedTuple):
    """A command that matches a search, its score, and the positions of the matching letters."""

    command: Command
    score: float = 0.0
    matched: Sequence[int] = ()


def actions(app: App[None], bindings: Iterable[ActiveBinding]) -> list[Command]:
    """Return a command for each action that is available and has a label or a tooltip.

    Keys that move the selection, and keys that represent several keys, are left out.
    """
    found: dict[str, Command] = {}
    for node, binding, enabled, _tooltip in bindings:
        explained = binding.show or binding.tooltip
        if not enabled or not explained or binding.action == "command_palette":
            continue
        if binding.key_display or group_of(binding) is MOVE:
            continue
        title = _(binding.description) or _(binding.tooltip).removesuffix(".")
        about = _(binding.tooltip) if binding.description else ""
        run = partial(app.run_action, binding.action, node)
        command = _command(title, about, key_name(binding.key), run)
        words = _OTHER_WORDS.get(binding.action, "")
        found.setdefault(binding.action, command._replace(words=words))
    return list(found.values())


def places(services: Services, navigation: Navigation) -> list[Command]:
    """Return the commands that open screens, lessons and labs."""
    screens = [
        _command(text.title, "", SCREEN, partial(navigation.open_place, place))._replace(
            words=_OTHER_WORDS.get(place, "")
        )
        for place, text in PLACES.items()
    ]
    lessons = [
        _command(f"{each.number} {each.title}", "", LESSON, partial(navigation.open_outline, each))
        for each in services.course.outlines
    ]
    labs = [
        _command(lab.title, lab.about, LAB, partial(navigation.open_live_lab, lab.name))
        for lab in registry.every()
    ]
    return [*screens, *lessons, *labs]


def xray(app: App[None], navigation: Navigation) -> Command:
    """Return the command that opens the stepper and the x-ray of its text."""
    about = _("Open the stepper, and look inside the network at one token.")
    return _command(_("X-ray"), about, SCREEN, partial(_open_xray, app, navigation))


def saving(navigation: Navigation) -> Command:
    """Return the command that opens the stepper, which can save its text as a file."""
    about = _("In the stepper, save the text as a file.")
    command = _command(_("Save a text"), about, SCREEN, partial(navigation.open_place, "step"))
    return command._replace(words=_OTHER_WORDS["share"])


def _open_xray(app: App[None], navigation: Navigation) -> None:
    from tutor.app.explorer.screen import ExplorerScreen  # slow to import, and rarely needed here

    navigation.open_place("step")
    if isinstance(app.screen, ExplorerScreen):  # a remote model may need the learner's consent
        app.screen.open_xray()


def terms(services: Services, navigation: Navigation) -> list[Command]:
    """Return the commands that open glossary terms. There are too many to list all of them."""
    return [
        _command(term.term, term.text, TERM, partial(navigation.open_target, TermTarget(term.id)))
        for term in services.course.glossary.values()
    ]


def find(commands: Sequence[Command], words: str, search: FuzzySearch) -> list[Found]:
    """Return the commands that match the words, best match first. Without words, return all.

    A command matches if its title contains the letters of the words in order, or if each word
    appears in the title, the description, the sign or the other words.
    """
    if not words:
        return [Found(command) for command in commands]
    found = [_match(command, words, search) for command in commands]
    begin = words.casefold()

    def order(each: Found) -> tuple[bool, float]:
        """Return a sort key that puts titles that begin with the words first."""
        return not each.command.title.casefold().startswith(begin), -each.score

    return sorted((each for each in found if each.score), key=order)


def _match(command: Command, words: str, search: FuzzySearch) -> Found:
    score, matched = search.match(words, command.title)
    if score:
        return Found(command, score, matched)
    everything = " ".join((*command[:3], command.words)).casefold()
    inside = all(word in everything for word in words.casefold().split())
    return Found(command, _IN_ABOUT if inside else 0.0)


def _command(title: str, about: str, sign: str, run: Callable[[], object]) -> Command:
    return Command(one_line(title, LONGEST_TITLE), one_line(about, _LONGEST_ABOUT), sign, run)
