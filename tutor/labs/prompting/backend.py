"""Return a model's answer to one item, for one version of a prompt.

If a remote model answers, no local model has to be loaded.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tutor.errors import RemoteError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.prompts import questions
from tutor.labs.kit.prompts.questions import Answer, Question
from tutor.labs.kit.prompts.scores import ROWS
from tutor.labs.kit.prompts.tasks import tasks
from tutor.labs.kit.prompts.version import assemble
from tutor.labs.prompting.remote_backend import RemotePrompting, messages_of
from tutor.vendors.runs import ErrorReport

if TYPE_CHECKING:
    from tutor.labs.kit.prompts.local import PromptingHere


class PromptingBackend:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._remote = RemotePrompting(tools.remote)

    @cached_property
    def _here(self) -> PromptingHere:
        from tutor.labs.kit.prompts.local import PromptingHere  # Imports torch.

        return PromptingHere(self._tools)

    def answer(self, question: Question) -> Answer:
        """Answer the request with the model that it names, local or remote.

        Raises the same errors as `PromptingHere.answer`.
        """
        match question:
            case questions.Stop():
                return self._remote.stop()
            case questions.Read() | questions.Try() if question.trial.server is None:
                return self._here.answer(question)
            case questions.Read(trial=trial, item=item):
                task = tasks()[trial.task]
                prompt = assemble(trial.version, task, task.items[item])
                return questions.Reading(
                    tuple(questions.Stretch(*each) for each in messages_of(prompt)), None
                )
            case questions.Try():
                return self._ask_server(question)

    def _ask_server(self, question: questions.Try) -> Answer:
        try:
            return self._remote.answer(question, ROWS)
        except RemoteError as error:
            return questions.Failed(ErrorReport.of(error))


def make_backend(tools: Tools) -> PromptingBackend:
    return PromptingBackend(tools)
