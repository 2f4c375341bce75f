"""The failures that tutor expects.

Each says in words what happened and what to do next. They are raised where the failure is
understood and shown once, at the edge: the command line prints them, the app puts them on the
screen. Anything that is not a `TutorError` is a bug.
"""

from __future__ import annotations


class TutorError(Exception):
    """An expected failure.

    `title` names the kind of failure in a few words, `happened` is one sentence about this
    instance, `next_step` is one sentence about what the reader can do.
    """

    title = "Something went wrong"

    def __init__(self, happened: str, next_step: str = "") -> None:
        super().__init__(happened)
        self.happened = happened
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.title}: {self.happened} {self.next_step}".rstrip()


class UsageError(TutorError):
    """The command line or a setting asks for something that makes no sense; exit status 2."""

    title = "Wrong usage"


class NotInThisLogin(TutorError):
    """Whoever runs this machine has not allowed it here."""

    title = "Not in this login"


class ModelError(TutorError):
    """A model cannot be found, read, trusted or run."""

    title = "The model cannot be used"


class ModelNotFound(ModelError):
    title = "Model not found"


class ModelDamaged(ModelError):
    """A file is truncated, altered, or not what it says it is."""

    title = "The model file is damaged"


class ModelUnsupported(ModelError):
    """A file is sound, but its architecture or number format is not one that tutor runs."""

    title = "This model is not supported"


class NotEnoughMemory(ModelError):
    title = "Not enough memory"


class DownloadFailed(ModelError):
    title = "The model could not be fetched"


class NoSpace(ModelError):
    """The disk is too full for a model."""

    title = "Not enough disk space"


class ContextFull(ModelError):
    """The text is longer than the model can read at once."""

    title = "The context is full"


class TextError(TutorError):
    """Text from the user that cannot be used: empty, or not UTF-8."""

    title = "This text cannot be used"


class SamplerError(UsageError):
    """A sampler setting is out of its range."""

    title = "Sampler setting out of range"


class EngineError(TutorError):
    """The engine process failed to start, stopped, or answered with something unreadable."""

    title = "The engine stopped"


class TooMuchAsked(EngineError):
    """More than an engine that serves many gives to each."""

    title = "There is not enough for that"


class OtherVersion(EngineError):
    """The engine that this machine shares is of another version than this program."""

    title = "Another version"


class NoSharedEngine(EngineError):
    """There is no engine that this machine shares, or none that may be used."""

    title = "No shared engine"


class AnswerTooLarge(EngineError):
    """What was asked for is more than one message holds."""

    title = "This is too much to show"


class UnknownSession(EngineError):
    """A request names a session that the engine does not have."""

    title = "Unknown session"


class RequestCancelled(TutorError):
    """A request was cancelled by the one who made it. Nobody needs to be told."""

    title = "Cancelled"


class RemoteError(TutorError):
    """A remote model did not answer as it should."""

    title = "The remote model cannot be used"


class NotAllowed(RemoteError):
    """The learner has not agreed that anything is sent to this host."""

    title = "Nothing was sent"


class ClientMissing(RemoteError):
    """The vendor's client, an extra of this package, is not installed."""

    title = "A package is missing"


class KeyMissing(RemoteError):
    title = "A key is needed"


class KeyRefused(RemoteError):
    """Status 401."""

    title = "The key was refused"


class AccessRefused(RemoteError):
    """Status 403: the key is known, and is not for this."""

    title = "Access was refused"


class NoSuchModel(RemoteError):
    """Status 404: the server has no model of this name, or nothing at this address."""

    title = "The server does not know this model"


class RateLimited(RemoteError):
    """Status 429: too many requests, or no credit left."""

    title = "Too many requests"


class RequestRefused(RemoteError):
    """Another status from 400 to 499, or one that means nothing here."""

    title = "The server refused the request"


class ServerFailed(RemoteError):
    """Status 500 to 599."""

    title = "The server failed"


class CannotConnect(RemoteError):
    """No server at that address, no network, no trust in its certificate."""

    title = "The server cannot be reached"


class RemoteTimeout(RemoteError):
    """The server takes longer than anybody would wait."""

    title = "The server is too slow"


class StreamBroken(RemoteError):
    """The answer stopped in the middle, without its end."""

    title = "The answer broke off"


class AnswerUnreadable(RemoteError):
    """What the server sent does not follow its protocol."""

    title = "The answer cannot be read"


class AnswerEmpty(RemoteError):
    title = "The answer is empty"


class AnswerCut(AnswerEmpty):
    """All tokens that were allowed were used up before a word was written."""


class AnswerBlocked(RemoteError):
    """The service kept its answer back: a filter, or what it calls safety."""

    title = "The answer was kept back"


class NotTold(RemoteError):
    """The service does not tell what was asked for, such as log-probabilities."""

    title = "The service does not tell this"


class LessonError(TutorError):
    """A lesson file does not follow the format; `happened` begins with file and line.

    `problem` is the sentence without them, `line` counts from 1.
    """

    title = "A lesson file has an error"

    def __init__(
        self, happened: str, next_step: str = "", *, file: str = "", line: int = 1
    ) -> None:
        super().__init__(f"{file}, line {line}: {happened}" if file else happened, next_step)
        self.file = file
        self.line = line
        self.problem = happened


class LabError(TutorError):
    """A lab was asked for something that it cannot do."""

    title = "The lab cannot do this"


class EncoderMissing(TutorError):
    """The sentence encoder, an extra of this package, is not installed."""

    title = "A package is missing"


class StoreError(TutorError):
    """Progress cannot be read or written."""

    title = "Progress cannot be saved"


class NoHome(StoreError):
    """The account has no home folder."""

    title = "There is nowhere to keep files"


def kind_named(name: str, otherwise: type[TutorError]) -> type[TutorError]:
    """The kind of error of this class name, as another process told it; `otherwise` for a name
    that is none of these."""
    kind = globals().get(name)
    return kind if isinstance(kind, type) and issubclass(kind, TutorError) else otherwise
