"""Implement `tutor step`, which prints the model's distribution over the next token."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.cli import output
from tutor.cli.interrupted import leaving_at_once
from tutor.cli.status_line import loading
from tutor.cli.step import output as step_output
from tutor.cli.step import sampler
from tutor.errors import ContextFull, RemoteError, TextError, TutorError, UsageError
from tutor.language import _
from tutor.lm.distribution import ChatMessage, Distribution, ModelCard, Row, SamplerSettings
from tutor.lm.fast.shortage import shortage_in_words
from tutor.vendors.catalogue import is_remote, remote_model

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel, WithVocabulary
    from tutor.lm.llamacpp.session import LlamaModel, LlamaSession
    from tutor.lm.saved_steering import Applied
    from tutor.lm.session import Session
    from tutor.vendors.session import RemoteSession


def add_to(commands: Any, for_model: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "step",
        parents=[for_model],
        allow_abbrev=False,  # The abbreviation --to could mean --top, --top-k or --top-p.
        help=_("print the most probable next tokens"),
        description=_(
            "Print the most probable next tokens after a text. With --steps, generate a "
            "continuation and print each step."
        ),
    )
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("text", nargs="?", metavar="TEXT", help=_("the text, used exactly as it is"))
    text.add_argument(
        "--input", metavar="FILE", help=_("read the text from FILE (-: standard input)")
    )
    parser.add_argument("--chat", action="store_true", help=_("treat the text as a chat message"))
    parser.add_argument(
        "--top",
        type=_count,
        default=10,
        metavar="K",
        help=_("show the K most probable tokens (default: 10)"),
    )
    parser.add_argument("--steps", type=positive, metavar="N", help=_("generate up to N tokens"))
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help=_("the seed for sampling (default: 0)")
    )
    parser.add_argument(
        "--steer",
        metavar="NAME:STRENGTH",
        help=_("add a vector that was saved by the `steer` lab; NAME can be a file"),
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.add_argument(
        "--html",
        metavar="FILE",
        help=_("also save the text and its distributions as an HTML page"),
    )
    sampler.add_options(parser.add_argument_group(_("sampler settings, applied in this order")))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = sampler.settings(options)
    text = read_text(options)
    applied = _steering(options)
    if is_remote(options.model):
        return _answer(*_elsewhere(options.model, text, chat=options.chat), settings, options)
    model = _open_model(options.model)
    with shortage_in_words(_("this text")):
        session = _session_of(model, text, chat=options.chat)
        if applied is not None:
            _steer(session, applied)
        return _answer(model.card, session, settings, options, applied)


def _steering(options: argparse.Namespace) -> Applied | None:
    """Return the vector that `--steer` names. Raises `TutorError` if it can't be used."""
    if options.steer is None:
        return None
    from tutor.lm import saved_steering

    if is_remote(options.model):
        raise UsageError(
            _(
                "A remote model can't be steered, because its server doesn't expose the model's "
                "internals."
            ),
            "Leave out --steer, or use a local model.",
        )
    return saved_steering.find(options.steer, saved_steering.folder_of_learner())


def _steer(session: Session | LlamaSession, applied: Applied) -> None:
    from tutor.lm.inspect.steering import steering_of
    from tutor.lm.llamacpp.session import LlamaSession, refuse
    from tutor.lm.saved_steering import require_model

    if isinstance(session, LlamaSession):
        refuse()

    vector = applied.vector
    require_model(vector, session.model.card)
    session.steer(steering_of(session.model, vector.values, vector.layer, applied.strength))


def _elsewhere(spec: str | None, text: str, *, chat: bool) -> tuple[ModelCard, RemoteSession]:
    """Return the description of a remote model, and a session that sends `text` to the model.

    If the model is on another machine, print the name of the host. The program does not ask for
    permission, because the user has named the remote model on the command line.
    """
    from tutor.vendors.permissions import Permissions
    from tutor.vendors.reader import RemoteReader
    from tutor.vendors.session import RemoteSession, remote_card

    model = remote_model(spec)
    permissions = Permissions()
    permissions.allow(model.host)
    if not model.here:
        output.note(_("Sending the text to {host}.").format(host=model.host))
    reader = RemoteReader(model, permissions)
    if chat:
        session = RemoteSession.on_chat(reader, [ChatMessage("user", text)])
    else:
        session = RemoteSession.on_text(reader, text)
    return remote_card(model), session


def _answer(
    card: ModelCard,
    session: Session | LlamaSession | RemoteSession,
    settings: SamplerSettings,
    options: argparse.Namespace,
    applied: Applied | None = None,
) -> int:
    given = bool(sampler.given(options))
    prompt = session.tokens
    found: list[tuple[Distribution, Row | None]] = []
    report = step_output.Report(card, prompt, applied, with_sampler=given, json=options.json)
    failure: TutorError | None = None
    try:
        for distribution, chosen in _steps(session, settings, options):
            report.add(distribution, chosen)
            found.append((distribution, chosen))
    # Report the steps that were computed before the error, because they are still useful.
    except (ContextFull, RemoteError) as error:
        if options.steps is None:
            raise
        failure = error
    report.finish()
    if options.html is not None:
        from tutor.cli.step.page import save_page

        save_page(card, session, prompt, found, settings, options, applied)
    if failure:
        raise failure
    return 0


def read_text(options: argparse.Namespace) -> str:
    """Return the text to continue. Raises `TextError` if it cannot be read or is not UTF-8."""
    if options.input is None:
        text: str = options.text
        # Recover the bytes that the shell passed.
        data = text.encode("utf-8", "surrogateescape")
    else:
        file = Path(options.input)
        try:
            data = sys.stdin.buffer.read() if options.input == "-" else file.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise TextError(
                _("{input} cannot be read: {why}.").format(input=options.input, why=why),
                "Check the file name.",
            ) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(
            _("The text is not UTF-8: byte {start} is 0x{data:02x} ({reason}).").format(
                start=error.start, data=data[error.start], reason=error.reason
            ),
            "Convert it to UTF-8 first, for example with iconv.",
        ) from error


def load(spec: str | None, *, exact: bool = False) -> LanguageModel:
    """Find and load a model, showing progress. With `exact`, the model computes in 32-bit floats.

    Raises `ModelError`, including for a model that only llama.cpp can run.
    """
    if not exact:
        model = _open_model(spec)
        from tutor.lm.llamacpp.load import require_network

        return require_network(model)
    with leaving_at_once():
        from tutor.lm.load import load_model
        from tutor.models import find_model

    with loading() as on_stage:
        found = find_model(spec, on_stage=on_stage)
        return load_model(found, on_stage=on_stage, exact=True)


def _open_model(spec: str | None) -> LanguageModel | LlamaModel:
    """Find and load a model, showing progress. Raises `ModelError`."""
    with leaving_at_once():
        from tutor.lm.llamacpp.load import open_model
        from tutor.models import find_model

    with loading() as on_stage:
        return open_model(find_model(spec, on_stage=on_stage), on_stage=on_stage)


def open_session(model: LanguageModel, text: str, *, chat: bool) -> Session:
    """Return a session that contains `text`. If `chat` is true, the text is a user message."""
    from tutor.lm.session import Session

    return Session(model, _ids(model, text, chat=chat))


def _session_of(
    model: LanguageModel | LlamaModel, text: str, *, chat: bool
) -> Session | LlamaSession:
    from tutor.lm.llamacpp.session import LlamaModel, LlamaSession

    if isinstance(model, LlamaModel):
        return LlamaSession(model, _ids(model, text, chat=chat))
    return open_session(model, text, chat=chat)


def _ids(model: WithVocabulary, text: str, *, chat: bool) -> list[int]:
    from tutor.lm.chat import chat_ids, text_ids

    return chat_ids(model, [ChatMessage("user", text)]) if chat else text_ids(model, text)


def _steps(
    session: Session | LlamaSession | RemoteSession,
    settings: SamplerSettings,
    options: argparse.Namespace,
) -> Iterator[tuple[Distribution, Row | None]]:
    from tutor.lm.trajectory import trajectory

    if options.steps is None:
        yield session.distribution(len(session), settings, options.seed, options.top), None
        return
    for step in trajectory(session, settings, options.seed, options.steps, options.top):
        yield step.distribution, step.chosen


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(
                _("{value} is too small (the minimum is {least})").format(value=value, least=least)
            )
        return value

    number.__name__ = "number"  # argparse prints this name in its error message.
    return number


_count = _number(0)
positive = _number(1)
