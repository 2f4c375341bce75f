"""Define the exceptions for all errors that tutor expects.

Each error says what happened and what the user can do next. It is raised where the cause is known.
The command line prints it, or the app shows it on the screen, once. Any other exception is a bug.

A message without placeholders is translated when the error is created. A message with placeholders
is translated where the error is raised, before the values are inserted.
"""

from tutor.language import _


class TutorError(Exception):
    """The base class of all expected errors.

    `title` names the kind of error in a few words. `happened` is one sentence that says what went
    wrong, and `next_step` is one sentence that says what the user can do.
    """

    title = _("Something went wrong")

    def __init_subclass__(cls, *, title: str = "") -> None:
        """Set the `title` of a subclass. By default, it is the title of the base class."""
        super().__init_subclass__()
        cls.title = _(title) or cls.title

    def __init__(self, happened: str, next_step: str = "") -> None:
        self.happened = _(happened)
        self.next_step = _(next_step)
        super().__init__(self.happened)

    def __str__(self) -> str:
        return f"{self.title}: {self.happened} {self.next_step}".rstrip()


class UsageError(TutorError, title="Invalid usage"):
    """Raised for invalid command-line arguments or settings. The exit status is 2."""


class NotInThisLogin(TutorError, title="Not allowed in this login session"):
    """Raised for an action that the administrator has disabled for this login session."""


class ModelError(TutorError, title="The model cannot be used"):
    """Raised when a model cannot be found, read, trusted or run."""


class ModelNotFound(ModelError, title="Model not found"):
    """Raised when no model has the given name or path."""


class ModelDamaged(ModelError, title="The model file is damaged"):
    """Raised when a model file is truncated, modified, or not in its stated format."""

    def __init__(
        self, happened: str, next_step: str = "Download the model again, or use another one."
    ) -> None:
        super().__init__(happened, next_step)


class ModelUnsupported(ModelError, title="This model is not supported"):
    """Raised when a model file is intact, but its architecture or number format is unknown."""


class NotWithLlamaCpp(ModelError, title="Not available with llama.cpp"):
    """Raised when something needs a model's network, but llama.cpp runs the model."""


class NotEnoughMemory(ModelError, title="Not enough memory"):
    """Raised when a model, or a request to it, needs more memory than is available."""


class DownloadFailed(ModelError, title="The model could not be downloaded"):
    """Raised when a model download fails."""


class PackageIndexError(TutorError, title="The package index cannot be used"):
    """Raised when a package index cannot be reached, or when its response is invalid."""

    def __init__(
        self,
        happened: str,
        next_step: str = "Check the network and the package index that pip or uv uses.",
    ) -> None:
        super().__init__(happened, next_step)


class NotOnIndex(PackageIndexError, title="The package index does not have this package"):
    """Raised when a package index has no package of this name."""


class NoSpace(ModelError, title="Not enough disk space"):
    """Raised when there is not enough disk space for a model."""


class ContextFull(ModelError, title="The context is full"):
    """Raised when a text is longer than the model's context window."""


class TextError(TutorError, title="This text cannot be used"):
    """Raised when text from the user is empty, invalid, or not suitable."""


class SamplerError(UsageError, title="Sampler setting out of range"):
    """Raised when a sampler setting is outside its valid range."""


class EngineError(TutorError, title="The engine stopped"):
    """Raised when the engine cannot start, has stopped, or sends an invalid response."""


class TooMuchAsked(EngineError, title="Limit reached"):
    """Raised when a request exceeds a limit of the shared engine."""


class OtherVersion(EngineError, title="Version mismatch"):
    """Raised when the shared engine runs a different version of tutor."""


class NoSharedEngine(EngineError, title="No shared engine"):
    """Raised when this machine has no shared engine that can be used."""


class AnswerTooLarge(EngineError, title="The response is too large"):
    """Raised when a response exceeds the maximum message size."""


class UnknownSession(EngineError, title="Unknown session"):
    """Raised when a request names a session that does not exist in the engine."""


class RequestCancelled(TutorError, title="Canceled"):
    """Raised when the sender has canceled a request. It is not shown to the user."""


class RemoteError(TutorError, title="The remote model cannot be used"):
    """Raised when a remote model does not respond as expected."""


class NotAllowed(RemoteError, title="Nothing was sent"):
    """Raised when the learner has not agreed to send text to the host."""


class ClientMissing(RemoteError, title="A package is missing"):
    """Raised when a vendor's client library, an optional dependency, is not installed."""


class KeyMissing(RemoteError, title="An API key is required"):
    """Raised when there is no API key for a service."""


class KeyRefused(RemoteError, title="The API key was rejected"):
    """Raised for status 401: the server rejected the API key."""


class AccessRefused(RemoteError, title="Access denied"):
    """Raised for status 403: the API key is valid, but does not permit this request."""


class NoSuchModel(RemoteError, title="The server does not have this model"):
    """Raised for status 404: the server does not have the model, or the address is wrong."""


class RateLimited(RemoteError, title="Too many requests"):
    """Raised for status 429: the account has sent too many requests, or has no credit left."""


class RequestRefused(RemoteError, title="The server rejected the request"):
    """Raised for all other 4xx statuses, and for statuses that no other error covers."""


class ServerFailed(RemoteError, title="The server reported an error"):
    """Raised for a 5xx status."""


class CannotConnect(RemoteError, title="The server cannot be reached"):
    """Raised when a connection fails because of an address, the network, or a certificate."""


class RemoteTimeout(RemoteError, title="The server took too long"):
    """Raised when a server does not respond within the time limit."""


class StreamBroken(RemoteError, title="The answer was interrupted"):
    """Raised when a response ends before it is complete."""


class AnswerUnreadable(RemoteError, title="The response cannot be read"):
    """Raised when a response violates the protocol."""


class AnswerEmpty(RemoteError, title="The answer is empty"):
    """Raised when a response contains no text."""


class AnswerCut(AnswerEmpty):
    """Raised when a response reaches the token limit before it contains any text."""


class AnswerBlocked(RemoteError, title="The answer was blocked"):
    """Raised when the service withholds a response, for example because of a safety filter."""


class NotTold(RemoteError, title="The service does not report this"):
    """Raised when a service does not provide the requested data, such as log-probabilities."""


class LessonError(TutorError, title="A lesson file has an error"):
    """Raised when a lesson file does not follow the format.

    `happened` begins with the file name and the line, which is counted from 1. `problem` is the
    same sentence without them.
    """

    def __init__(
        self, happened: str, next_step: str = "", *, file: str = "", line: int = 1
    ) -> None:
        super().__init__(f"{file}, line {line}: {happened}" if file else happened, next_step)
        self.file = file
        self.line = line
        self.problem = happened


class LabError(TutorError, title="The lab cannot do this"):
    """Raised when a lab cannot do what the learner has requested."""


class EncoderMissing(TutorError, title="A package is missing"):
    """Raised when the sentence encoder, an optional dependency, is not installed."""


class StoreError(TutorError, title="Progress cannot be saved"):
    """Raised when progress cannot be read or saved."""


class NoHome(StoreError, title="No place to store files"):
    """Raised when the account has no home folder."""


def kind_named(name: str, otherwise: type[TutorError]) -> type[TutorError]:
    """Return the error class with this name, or `otherwise` if there is none.

    The name comes from another process, so it is not trusted.
    """
    kind = globals().get(name)
    return kind if isinstance(kind, type) and issubclass(kind, TutorError) else otherwise
