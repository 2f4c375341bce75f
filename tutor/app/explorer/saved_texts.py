"""Save the texts of one pane along with the learner's progress. Each lab has its own texts.

A document has a text and a conversation. Each is saved in its own file, so that a new chat does not
take away the text, and the list names both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer.document import FIRST_PROMPT, OTHER, Document
from tutor.language import _
from tutor.learner.texts import OpenText, TextInfo
from tutor.lm.distribution import PLAIN, SamplerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.document import Mode
    from tutor.course.lesson import Lab
    from tutor.learner.background import BackgroundProgress

PARTED = _(
    "Another session also changed this text. Yours is now a separate text. Press o to see both."
)


class SavedTexts:
    """The saved documents of one lab, or of the stepper.

    One text and one conversation are open at a time.
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
        self._open: dict[Mode, OpenText] = {mode: OpenText(self._place) for mode in OTHER}
        self._saved: dict[Mode, bytes] = dict.fromkeys(OTHER, b"")

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

    def open_id(self, mode: Mode) -> str:
        """Return the id of the text or the conversation that is open."""
        return self._open[mode].id

    def list(self) -> tuple[TextInfo, ...]:
        """Return descriptions of the saved texts, most recently changed first."""
        infos = self._texts.list(self._place)
        if pairs := [info for info in infos if not info.mode]:
            for info in pairs:
                self._split(info)
            infos = self._texts.list(self._place)
        return tuple(infos)

    def recall(self) -> Document:
        """Return the document to show first.

        It shows the document given to the constructor or, without one, the text or conversation
        that was changed most recently. Beside a text, it contains the latest conversation, and vice
        versa. Files that cannot be read are skipped. Without any, the text or conversation is new.
        """
        infos, begin = self.list(), self._begin
        mode = self._mode or (begin.mode if begin else infos[0].mode if infos else "text")
        self._mode = None
        main: Mode = "chat" if mode == "chat" else "text"
        if begin is not None:
            self._saved[main] = begin.half(main).to_bytes()
        shown = begin or self._latest(infos, main) or self._new(main)
        other = self._latest(infos, OTHER[main]) or self._new(OTHER[main])
        return self._join(shown, other)

    def open(self, info: TextInfo, beside: Document) -> Document | None:
        """Open a saved text and return its document. Return None if it cannot be read.

        The conversation beside a text comes from `beside`, and vice versa.
        """
        document = self._read(info)
        return self._join(document, beside) if document is not None else None

    def fresh(self, mode: Mode = "text", beside: Document | None = None) -> Document:
        """Open a new text or a new conversation beside the other one, and return the document."""
        return self._join(self._new(mode), beside or self._new(OTHER[mode]))

    def save(self, document: Document) -> str | None:
        """Save the text and the conversation if they have changed, each in its own file.

        Returns a message for the learner, or None. Raises `StoreError` if the document can never be
        saved.
        """
        for mode in (OTHER[document.mode], document.mode):
            half = document.half(mode)
            body = half.to_bytes()
            unused = mode != document.mode and not self._saved[mode] and half.is_empty
            if body != self._saved[mode] and not unused:
                self._put(self._open[mode], half, body)
                self._saved[mode] = body
        parted = [text for text in self._open.values() if text.parted]
        for text in parted:
            text.parted = False
        return PARTED if parted else None

    def star(self, info: TextInfo) -> None:
        """Add a star to a text, or remove its star."""
        self._texts.star(info.id, not info.starred)

    def _latest(self, infos: Sequence[TextInfo], mode: Mode) -> Document | None:
        """Open the most recently changed text or conversation that can be read."""
        fitting = (self._read(info) for info in infos if info.mode == mode)
        return next((document for document in fitting if document is not None), None)

    def _read(self, info: TextInfo) -> Document | None:
        body = self._texts.read(info.id)
        document = Document.from_bytes(body) if body is not None else None
        if document is None or body is None:
            return None
        self._open[document.mode], self._saved[document.mode] = OpenText(self._place, info), body
        return document.half(document.mode)

    def _new(self, mode: Mode) -> Document:
        self._open[mode], self._saved[mode] = OpenText(self._place), b""
        sampler = self._lab.sampler.settings if self._lab is not None else self._sampler
        return Document(mode=mode, prompt=self.given or FIRST_PROMPT, sampler=sampler)

    def _join(self, shown: Document, other: Document) -> Document:
        """Return a document with both. Neither is saved before the learner changes it."""
        mode = shown.mode
        if shown.model and other.model and shown.model != other.model:
            # A document's tokens belong to one model. The other half stays in its file.
            other = self._new(OTHER[mode])
        document = shown.beside(other)
        for each in OTHER:
            if self._saved[each]:
                self._saved[each] = document.half(each).to_bytes()
        return document

    def _put(self, text: OpenText, half: Document, body: bytes, at: float | None = None) -> None:
        title, tokens = half.title, half.length
        self._texts.save(text, body, title=title, tokens=tokens, mode=half.mode, at=at)

    def _split(self, info: TextInfo) -> None:
        """Give the text and the conversation in one file of an earlier version a file each."""
        body = self._texts.read(info.id)
        document = Document.from_bytes(body) if body is not None else None
        if document is None:
            return
        other = document.half(OTHER[document.mode])
        if not other.is_empty and not self._is_first_prompt(other):
            text = OpenText(self._place)
            self._put(text, other, other.to_bytes(), info.at)
            if info.starred:
                self._texts.star(text.id, True)
        half = document.half(document.mode)
        self._put(OpenText(self._place, info), half, half.to_bytes(), info.at)

    def _is_first_prompt(self, text: Document) -> bool:
        """Return True if a text contains nothing but the prompt with which every text starts."""
        several = text.tree is not None and len(text.tree.branches) > 1
        return not several and text.title == (self.given or FIRST_PROMPT)
