"""Save the texts of one pane along with the learner's progress. Each lab has its own texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from tutor.app.explorer.document import FIRST_PROMPT, Document
from tutor.language import _
from tutor.learner.texts import OpenText, TextInfo
from tutor.lm.distribution import PLAIN, SamplerSettings

if TYPE_CHECKING:
    from tutor.app.explorer.document import Mode
    from tutor.course.lesson import Lab
    from tutor.learner.background import BackgroundProgress

PARTED = _(
    "Another session also changed this text. Yours is now a separate text. Press o to see both."
)


class SavedTexts:
    """The saved documents of one lab, or of the stepper.

    One document is open at a time. Changes are saved to the open document.
    """

    def __init__(
        self,
        progress: BackgroundProgress,
        lab: Lab | None,
        mode: Mode | None,
        begin: Document | None = None,
        sampler: SamplerSettings = PLAIN,
    ) -> None:
        """Create the list of documents.

        `begin` is an additional document to open first. It is saved as soon as it is changed.
        `sampler` contains the settings of new texts, except in labs.
        """
        self._sampler = sampler
        self._begin = begin
        self._texts = progress.texts
        self._lab = lab
        self._chat_lab = lab is not None and lab.kind == "chat"
        self._mode: Mode | None = mode or ("chat" if self._chat_lab else None)
        self._place = lab.id if lab else "free"
        self._open = OpenText(self._place)
        self._saved = b""

    @property
    def given(self) -> str | None:
        """The prompt that a lab sets, or None in a conversation or when no lab is open."""
        return self._lab.prompt if self._lab and not self._chat_lab else None

    @property
    def first_message(self) -> str:
        """The first message of a conversation in this lab, or "" if the learner writes it."""
        return self._lab.prompt if self._lab and self._chat_lab else ""

    @property
    def advised(self) -> bool:
        """True if new conversations use the settings of the model card.

        This is false in labs, which have their own settings.
        """
        return self._lab is None

    @property
    def open_id(self) -> str:
        return self._open.id

    def list(self) -> tuple[TextInfo, ...]:
        """Return descriptions of the saved texts, most recently used first."""
        return tuple(self._texts.list(self._place))

    def listed(self) -> tuple[TextInfo, ...]:
        """Return the texts to offer to the learner.

        The open text is left out if it is a chat without a message. Other chats without a message
        come last.
        """
        saved = [info for info in self.list() if info.id != self.open_id or not _is_empty(info)]
        return tuple(sorted(saved, key=_is_empty))

    def recall(self) -> Document:
        """Return the document to show first.

        This is the document given to the constructor or, without one, the most recently used
        document. If no document can be read, it is a new document.
        """
        if self._begin is not None:
            self._saved = self._begin.to_bytes()
            return self._begin
        for info in self.list():
            document = self._read(info)
            if document is not None:
                return document
        return self.fresh()

    def open(self, info: TextInfo) -> Document | None:
        """Open a saved text and return its document. Return None if it cannot be read.

        The next `recall` returns this document, even if the learner only reads it.
        """
        document = self._read(info)
        if document is not None:
            self._texts.opened(info.id)
        return document

    def _read(self, info: TextInfo) -> Document | None:
        body = self._texts.read(info.id)
        document = Document.from_bytes(body) if body is not None else None
        if document is None or body is None:
            return None
        self._open, self._saved = OpenText(self._place, info), body
        if document.chat is not None and document.chat_sampler is UNSET:
            # In earlier versions, the text and the conversation had the same settings.
            document = replace(document, chat_sampler=document.sampler)
        return self._in_mode(document)

    def fresh(self, mode: Mode = "text", shown: Document | None = None) -> Document:
        """Open a new document with a new text or conversation, and return it.

        A new text keeps the conversation of `shown`, and a new conversation keeps its text.
        """
        self._open, self._saved = OpenText(self._place), b""
        prompt = self.given or FIRST_PROMPT
        sampler = self._lab.sampler.settings if self._lab is not None else self._sampler
        if shown is not None:
            return self._in_mode(shown.begun_again(mode, prompt, sampler))
        return self._in_mode(Document(mode=mode, prompt=prompt, sampler=sampler))

    def save(self, document: Document) -> str | None:
        """Save the document if it has changed.

        Returns a message for the learner, or None. Raises `StoreError` if the document can never be
        saved.
        """
        body = document.to_bytes()
        if body != self._saved:
            self._texts.save(
                self._open,
                body,
                title=document.title,
                tokens=document.length,
                mode=document.mode,
                beside=document.title_beside,
            )
            self._saved = body
        if self._open.parted:
            self._open.parted = False
            return PARTED
        return None

    def part(self) -> None:
        """Save the next document as a new text. The text that was open stays as it was saved."""
        self._open, self._saved = OpenText(self._place), b""

    def star(self, info: TextInfo) -> None:
        """Add a star to a text, or remove its star."""
        self._texts.star(info.id, not info.starred)

    def _in_mode(self, document: Document) -> Document:
        mode, self._mode = self._mode or document.mode, None
        return replace(document, mode=mode)


def _is_empty(info: TextInfo) -> bool:
    """Return True for a chat without a message, unless it has a star."""
    return info.mode == "chat" and not (info.tokens or info.starred)
