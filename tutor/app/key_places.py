"""The names of the places where keys are bound, for the documentation and for `[keys]`."""

from __future__ import annotations

from typing import NamedTuple


class KeyPlace(NamedTuple):
    """A place where keys are bound, such as a screen: its name, and the classes that bind keys.

    The ids of the place's actions begin with `scope`, as in "stepper.undo". `more` describes keys
    that have no binding.
    """

    where: str
    scope: str
    classes: str
    more: str = ""


KEY_PLACES = (
    KeyPlace(
        "everywhere",
        "everywhere",
        "TutorApp TutorScreen",
        "`ctrl+l` redraw the screen",
    ),
    KeyPlace("lists", "everywhere", "Menu FinderField"),
    KeyPlace("course map", "map", "HomeScreen"),
    KeyPlace("lesson", "lesson", "LessonScreen TermScreen PredictionField PredictionChoices"),
    KeyPlace(
        "question",
        "question",
        "AnswerList Choices Ordering Matching TypedAnswer AskScreen",
        "`a` to `k` choose, tick or match · `1` to `9` choose · type a number or a word",
    ),
    KeyPlace("review", "review", "ReviewScreen SuspendedQuestions", "all keys of a question"),
    KeyPlace("end of a lesson", "end", "ResultScreen"),
    KeyPlace("progress", "progress", "ProgressScreen LessonProgressScreen"),
    KeyPlace("page of text", "page", "HelpScreen TeacherViewScreen"),
    KeyPlace("copy menu", "copy", "CopyMenu"),
    KeyPlace("settings", "settings", "SettingsScreen SettingsList SettingField"),
    KeyPlace("model", "model", "ModelScreen"),
    KeyPlace(
        "stepper and chat",
        "stepper",
        "ExplorerPane ExplorerScreen XRayScreen",
        "`Home` `End` go to the beginning or the end",
    ),
    KeyPlace("glossary, search, list of labs", "finder", "FinderScreen", "type to filter"),
    KeyPlace("vocabulary search", "vocabulary", "SearchEntry TokenSearch"),
    KeyPlace("prompt or message editor", "editor", "MessageEditor"),
    KeyPlace(
        "text field of a lab",
        "field",
        "PromptEditor",
        "`↑` `↓` move, or show what you entered before",
    ),
    KeyPlace("text field with one line", "line-field", "ClearableField"),
    KeyPlace("consent", "consent", "ConsentScreen"),
    KeyPlace("warning before an idle session ends", "idle", "IdleScreen"),
    KeyPlace("branches", "branches", "BranchTree", "`1` to `9` switch"),
    KeyPlace("recent texts", "texts", "RecentTexts"),
    KeyPlace("sampler", "sampler", "SamplerDials"),
    KeyPlace("menu of file formats", "share", "ShareMenu ShareScreen ShareName"),
    KeyPlace("x-ray", "xray", "XRayView"),
    KeyPlace(
        "labs",
        "labs",
        "LabScreen",
        "`Home` `End` go to the first or last item that `↑` and `↓` or `←` and `→` select · "
        "the keys of each lab: [labs.md](labs.md)",
    ),
    KeyPlace("ghost text, while you type", "ghost-text-field", "CodeEditor"),
    KeyPlace("guessing game", "guess", "GuessEntry GuessScreen"),
    KeyPlace("tour", "tour", "TourScreen"),
)
"""All places where keys are bound, in the order of the documentation."""
