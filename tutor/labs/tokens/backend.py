"""Split text into tokens with the model's tokenizer, and with other tokenizers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tutor.errors import ModelNotFound, TutorError
from tutor.labs.kit.backend import Tools
from tutor.labs.tokens.lab import Answer, AnyAnswer, AnyQuestion, Piece, Question
from tutor.labs.tokens.side_by_side import SAMPLES, Installed, Listing, Side, Source, Split
from tutor.lm.formats.any_tokenizer import read_any_tokenizer
from tutor.lm.tokenizer import Tokenizer
from tutor.models.installed import installed_models
from tutor.models.pull import sha256_of

_MOST_INSTALLED = 12


class TokensBackend:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def answer(self, question: AnyQuestion) -> AnyAnswer:
        """Return a text's tokens, the names of installed models, or a tokenizer's results.

        Raises `TextError` if the loaded model's vocabulary has no token for a byte of the text.
        """
        match question:
            case Question(text=text):
                tokenizer = self._tools.model.tokenizer
                tokens = tokenizer.tokens(tokenizer.encode(text))
                return Answer(tuple(Piece(token.data, token.id) for token in tokens))
            case Listing():
                return Installed(self._installed())
            case Split(source=source, text=text):
                return self._side(source, text)

    def _installed(self) -> tuple[str, ...]:
        """Return the names of the installed models, without the loaded one.

        Models whose tokenizer is listed already are left out.
        """
        loaded = Path(self._tools.model.card.path)
        listed = {_stored_in(loaded)}
        names = []
        for model in installed_models():
            if (stored := _stored_in(model.path)) not in listed:
                listed.add(stored)
                names.append(model.name)
        return tuple(names[:_MOST_INSTALLED])

    def _side(self, source: Source, text: str) -> Side:
        label = Path(source.name).name if source.given else source.name
        if label in ("tokenizer.json", "tokenizer.model"):
            label = f"{Path(source.name).absolute().parent.name}/{label}"
        label = label or (source.name or self._tools.model.card.name)
        try:
            tokenizer = self._tokenizer(source)
        except TutorError as error:
            return Side(label, problem=error.happened)
        samples = tuple(_count(tokenizer, sample) for sample in SAMPLES.values())
        size = tokenizer.vocabulary_size
        try:
            pieces = tuple(token.data for token in tokenizer.tokens(tokenizer.encode(text)))
        except TutorError as error:
            return Side(label, size, samples=samples, problem=error.happened)
        return Side(label, size, pieces, samples)

    def _tokenizer(self, source: Source) -> Tokenizer:
        """Return a tokenizer. Raises `ModelError` if it cannot be read."""
        if source.given:
            return _read(Path(source.name).expanduser())
        if not source.name:
            return self._tools.model.tokenizer
        for model in installed_models():
            if model.name == source.name:
                return _read(model.path)
        raise ModelNotFound(f"{source.name} is not installed any more.")


def _stored_in(path: Path) -> str:
    """Return the checksum of the `tokenizer.json` in a folder, or `path` if there is none.

    Models with the same result are assumed to have the same tokenizer.
    """
    try:
        return sha256_of(path / "tokenizer.json")
    except OSError:
        return str(path)


def _read(path: Path) -> Tokenizer:
    """Return the tokenizer in a file or folder. The last few tokenizers are cached."""
    try:
        stamp = path.stat().st_mtime_ns
    except (OSError, ValueError):
        stamp = 0
    return _read_once(path, stamp)


@lru_cache(maxsize=8)
def _read_once(path: Path, stamp: int) -> Tokenizer:
    return read_any_tokenizer(path)


def _count(tokenizer: Tokenizer, sample: str) -> int:
    try:
        return len(tokenizer.encode(sample))
    except TutorError:
        return -1


make_backend = TokensBackend
