"""The errors that tutor expects.

Each one states what happened and what to do next. They are raised where the failure is understood
and shown once: the command line prints them, the app shows them on the screen. Any other exception
is a bug.
"""


class TutorError(Exception):
    """An expected error.

    `title` names the kind of error in a few words, `happened` is one sentence about this
    instance, and `next_step` is one sentence about what the user can do.
    """

    title = "Something went wrong"

    def __init_subclass__(cls, *, title: str = "") -> None:
        """Set the `title` of this kind of error; by default it is the title of the base class."""
        super().__init_subclass__()
        cls.title = title or cls.title

    def __init__(self, happened: str, next_step: str = "") -> None:
        super().__init__(happened)
        self.happened = happened
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.title}: {self.happened} {self.next_step}".rstrip()


class UsageError(TutorError, title="Wrong usage"):
    """The command line or a setting is invalid; exit status 2."""


class NotInThisLogin(TutorError, title="Not allowed in this login"):
    """The person who runs this machine has not allowed this action here."""


class ModelError(TutorError, title="The model cannot be used"):
    """A model cannot be found, read, trusted or run."""


class ModelNotFound(ModelError, title="Model not found"):
    """No model has this name or path."""


class ModelDamaged(ModelError, title="The model file is damaged"):
    """A file is truncated, altered, or not of the type that it claims to be."""


class ModelUnsupported(ModelError, title="This model is not supported"):
    """A file is intact, but tutor cannot run its architecture or number format."""


class NotEnoughMemory(ModelError, title="Not enough memory"):
    """A model, or a request to it, needs more memory than this machine has free."""


class DownloadFailed(ModelError, title="The model could not be downloaded"):
    """The download of a model failed."""


class NoSpace(ModelError, title="Not enough disk space"):
    """The disk has too little space for a model."""


class ContextFull(ModelError, title="The context is full"):
    """The text is longer than the model's context window."""


class TextError(TutorError, title="This text cannot be used"):
    """A text from the user is empty or not UTF-8."""


class SamplerError(UsageError, title="Sampler setting out of range"):
    """A sampler setting is out of its range."""


class EngineError(TutorError, title="The engine stopped"):
    """The engine process failed to start, stopped, or sent an unreadable answer."""


class TooMuchAsked(EngineError, title="A limit was reached"):
    """A request exceeds the limits that a shared engine has for each learner."""


class OtherVersion(EngineError, title="Versions differ"):
    """The shared engine runs another version of tutor than this program."""


class NoSharedEngine(EngineError, title="No shared engine"):
    """This machine has no shared engine that may be used."""


class AnswerTooLarge(EngineError, title="The answer is too large"):
    """The requested answer is larger than one message may be."""


class UnknownSession(EngineError, title="Unknown session"):
    """A request names a session that the engine does not have."""


class RequestCancelled(TutorError, title="Cancelled"):
    """A request was cancelled by its sender, so no message is needed."""


class RemoteError(TutorError, title="The remote model cannot be used"):
    """A remote model did not answer as expected."""


class NotAllowed(RemoteError, title="Nothing was sent"):
    """The learner has not consented to sending text to this host."""


class ClientMissing(RemoteError, title="A package is missing"):
    """The vendor's client library, an optional dependency, is not installed."""


class KeyMissing(RemoteError, title="A key is needed"):
    """No key for the service was found."""


class KeyRefused(RemoteError, title="The key was refused"):
    """The server answered with status 401."""


class AccessRefused(RemoteError, title="Access was refused"):
    """The server answered with status 403: the key is valid, but not for this request."""


class NoSuchModel(RemoteError, title="The server does not know this model"):
    """The server answered with status 404: it has no such model, or nothing at this address."""


class RateLimited(RemoteError, title="Too many requests"):
    """The server answered with status 429: too many requests, or no credit left."""


class RequestRefused(RemoteError, title="The server refused the request"):
    """The server answered with another status from 400 to 499, or with an unexpected one."""


class ServerFailed(RemoteError, title="The server failed"):
    """The server answered with a status from 500 to 599."""


class CannotConnect(RemoteError, title="The server cannot be reached"):
    """The server could not be reached: wrong address, no network, or an untrusted certificate."""


class RemoteTimeout(RemoteError, title="The server took too long"):
    """The server did not answer within the time limit."""


class StreamBroken(RemoteError, title="The answer broke off"):
    """The answer ended before it was complete."""


class AnswerUnreadable(RemoteError, title="The answer cannot be read"):
    """The server's answer does not follow its protocol."""


class AnswerEmpty(RemoteError, title="The answer is empty"):
    """The server's answer contains no text."""


class AnswerCut(AnswerEmpty):
    """The token limit was used up before any text was written."""


class AnswerBlocked(RemoteError, title="The answer was blocked"):
    """The service blocked its answer, for example by a safety filter."""


class NotTold(RemoteError, title="The service does not report this"):
    """The service does not report what was requested, such as log-probabilities."""


class LessonError(TutorError, title="A lesson file has an error"):
    """A lesson file does not follow the format; `happened` begins with the file and line.

    `problem` is the sentence without the file and line; `line` counts from 1.
    """

    def __init__(
        self, happened: str, next_step: str = "", *, file: str = "", line: int = 1
    ) -> None:
        super().__init__(f"{file}, line {line}: {happened}" if file else happened, next_step)
        self.file = file
        self.line = line
        self.problem = happened


class LabError(TutorError, title="The lab cannot do this"):
    """A lab cannot do what was asked."""


class EncoderMissing(TutorError, title="A package is missing"):
    """The sentence encoder, an optional dependency, is not installed."""


class StoreError(TutorError, title="Progress cannot be saved"):
    """Progress cannot be read or written."""


class NoHome(StoreError, title="There is no place to store files"):
    """The account has no home folder."""


def kind_named(name: str, otherwise: type[TutorError]) -> type[TutorError]:
    """Return the kind of error with this class name, as another process reports it.

    Returns `otherwise` if the name is not one of these errors.
    """
    kind = globals().get(name)
    return kind if isinstance(kind, type) and issubclass(kind, TutorError) else otherwise
