"""The failures that tutor expects.

Each says in words what happened and what to do next. They are raised where the failure is
understood and shown once, at the edge: the command line prints them, the app puts them on the
screen. Anything that is not a `TutorError` is a bug.
"""


class TutorError(Exception):
    """An expected failure.

    `title` names the kind of failure in a few words, `happened` is one sentence about this
    instance, `next_step` is one sentence about what the reader can do.
    """

    title = "Something went wrong"

    def __init_subclass__(cls, *, title: str = "") -> None:
        """Set the `title` of a kind of failure; without one it has that of its base class."""
        super().__init_subclass__()
        cls.title = title or cls.title

    def __init__(self, happened: str, next_step: str = "") -> None:
        super().__init__(happened)
        self.happened = happened
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.title}: {self.happened} {self.next_step}".rstrip()


class UsageError(TutorError, title="Wrong usage"):
    """The command line or a setting asks for something that makes no sense; exit status 2."""


class NotInThisLogin(TutorError, title="Not in this login"):
    """Whoever runs this machine has not allowed it here."""


class ModelError(TutorError, title="The model cannot be used"):
    """A model cannot be found, read, trusted or run."""


class ModelNotFound(ModelError, title="Model not found"):
    """No model has this name or path."""


class ModelDamaged(ModelError, title="The model file is damaged"):
    """A file is truncated, altered, or not what it says it is."""


class ModelUnsupported(ModelError, title="This model is not supported"):
    """A file is sound, but its architecture or number format is not one that tutor runs."""


class NotEnoughMemory(ModelError, title="Not enough memory"):
    """A model, or what it is asked for, takes more memory than this machine has free."""


class DownloadFailed(ModelError, title="The model could not be fetched"):
    """The download of a model failed."""


class NoSpace(ModelError, title="Not enough disk space"):
    """The disk is too full for a model."""


class ContextFull(ModelError, title="The context is full"):
    """The text is longer than the model can read at once."""


class TextError(TutorError, title="This text cannot be used"):
    """Text from the user that cannot be used: empty, or not UTF-8."""


class SamplerError(UsageError, title="Sampler setting out of range"):
    """A sampler setting is out of its range."""


class EngineError(TutorError, title="The engine stopped"):
    """The engine process failed to start, stopped, or answered with something unreadable."""


class TooMuchAsked(EngineError, title="There is not enough for that"):
    """More than an engine that serves many gives to each."""


class OtherVersion(EngineError, title="Another version"):
    """The engine that this machine shares is of another version than this program."""


class NoSharedEngine(EngineError, title="No shared engine"):
    """There is no engine that this machine shares, or none that may be used."""


class AnswerTooLarge(EngineError, title="This is too much to show"):
    """What was asked for is more than one message holds."""


class UnknownSession(EngineError, title="Unknown session"):
    """A request names a session that the engine does not have."""


class RequestCancelled(TutorError, title="Cancelled"):
    """A request was cancelled by the one who made it. Nobody needs to be told."""


class RemoteError(TutorError, title="The remote model cannot be used"):
    """A remote model did not answer as it should."""


class NotAllowed(RemoteError, title="Nothing was sent"):
    """The learner has not agreed that anything is sent to this host."""


class ClientMissing(RemoteError, title="A package is missing"):
    """The vendor's client, an extra of this package, is not installed."""


class KeyMissing(RemoteError, title="A key is needed"):
    """No key for the service was found."""


class KeyRefused(RemoteError, title="The key was refused"):
    """Status 401."""


class AccessRefused(RemoteError, title="Access was refused"):
    """Status 403: the key is known, and is not for this."""


class NoSuchModel(RemoteError, title="The server does not know this model"):
    """Status 404: the server has no model of this name, or nothing at this address."""


class RateLimited(RemoteError, title="Too many requests"):
    """Status 429: too many requests, or no credit left."""


class RequestRefused(RemoteError, title="The server refused the request"):
    """Another status from 400 to 499, or one that means nothing here."""


class ServerFailed(RemoteError, title="The server failed"):
    """Status 500 to 599."""


class CannotConnect(RemoteError, title="The server cannot be reached"):
    """No server at that address, no network, no trust in its certificate."""


class RemoteTimeout(RemoteError, title="The server is too slow"):
    """The server takes longer than anybody would wait."""


class StreamBroken(RemoteError, title="The answer broke off"):
    """The answer stopped in the middle, without its end."""


class AnswerUnreadable(RemoteError, title="The answer cannot be read"):
    """What the server sent does not follow its protocol."""


class AnswerEmpty(RemoteError, title="The answer is empty"):
    """The server sent an answer without a word."""


class AnswerCut(AnswerEmpty):
    """All tokens that were allowed were used up before a word was written."""


class AnswerBlocked(RemoteError, title="The answer was kept back"):
    """The service kept its answer back: a filter, or what it calls safety."""


class NotTold(RemoteError, title="The service does not tell this"):
    """The service does not tell what was asked for, such as log-probabilities."""


class LessonError(TutorError, title="A lesson file has an error"):
    """A lesson file does not follow the format; `happened` begins with file and line.

    `problem` is the sentence without them, `line` counts from 1.
    """

    def __init__(
        self, happened: str, next_step: str = "", *, file: str = "", line: int = 1
    ) -> None:
        super().__init__(f"{file}, line {line}: {happened}" if file else happened, next_step)
        self.file = file
        self.line = line
        self.problem = happened


class LabError(TutorError, title="The lab cannot do this"):
    """A lab was asked for something that it cannot do."""


class EncoderMissing(TutorError, title="A package is missing"):
    """The sentence encoder, an extra of this package, is not installed."""


class StoreError(TutorError, title="Progress cannot be saved"):
    """Progress cannot be read or written."""


class NoHome(StoreError, title="There is nowhere to keep files"):
    """The account has no home folder."""


def kind_named(name: str, otherwise: type[TutorError]) -> type[TutorError]:
    """The kind of error of this class name, as another process told it; `otherwise` for a name
    that is none of these."""
    kind = globals().get(name)
    return kind if isinstance(kind, type) and issubclass(kind, TutorError) else otherwise
