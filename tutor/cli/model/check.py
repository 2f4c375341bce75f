"""Test what a remote model supports and how fast it is, for `tutor model check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.cli import output
from tutor.language import _
from tutor.text import counted
from tutor.vendors.catalogue import OWN, remote_model

if TYPE_CHECKING:
    from tutor.vendors.catalogue import RemoteModel
    from tutor.vendors.check import CheckReport

_LABEL = 21
_REACHABLE = {True: _("yes"), False: _("no"), None: _("unknown (nothing was sent)")}


def run(spec: str | None) -> int:
    """Print the report. If an error interrupted the check, raise it afterwards."""
    from tutor.vendors.check import ASKED, check
    from tutor.vendors.keys import find_key

    model = remote_model(spec)
    key = find_key(model.service)
    if not model.here and (key is not None or model.service.id == OWN):
        output.note(
            _("Sending a short question to {host}: {content}").format(
                host=model.host, content=ASKED[0].content
            )
        )
    report = check(model, key)
    for label, said in describe(report, model):
        output.write(f"{label:<{_LABEL}}{said}")
    if report.trouble is not None:
        raise report.trouble.error
    return 0


def describe(report: CheckReport, model: RemoteModel) -> list[tuple[str, str]]:
    """Return the report as pairs of a label and a value."""
    lines = [
        (_("model"), _("{model} at {host}").format(model=report.model, host=report.host)),
        ("reachable", _REACHABLE[report.reachable]),
        ("key", report.key),
    ]
    if report.alternatives is not None:
        lines.append(
            ("streams", _("yes") if report.streams else _("no; the answer arrives all at once"))
        )
        lines.append(("log-probabilities", _alternatives(report.alternatives)))
    if model.service.id == OWN and report.alternatives is not None:
        continued = report.text_alternatives
        said = _("no") if continued is None else _alternatives(continued)
        lines.append((_("continues text"), said))
        lines.append((_("prompt tokens"), _("reported") if report.echoes else _("not reported")))
        lines.append(
            (_("the stepper"), _("works") if continued else _("does not work, but chat works"))
        )
    if model.service.id == OWN and report.text_alternatives:
        lines += [
            (_("conversations"), _("works") if report.continues else _("only whole answers")),
            (_("token ids"), _("reported") if report.ids else _("not reported")),
            (_("partial characters"), _("reported") if report.parts else _("hidden")),
            (_("end token"), _("reported") if report.ends else _("hidden")),
        ]
    if report.first_after is not None:
        lines.append((_("time to first token"), f"{report.first_after:.2f} s"))
    if report.tokens_per_second is not None:
        lines.append((_("tokens per second"), f"{report.tokens_per_second:.1f}"))
    if report.answer_tokens is not None:
        lines.append((_("answer tokens"), str(report.answer_tokens)))
    if report.cost is not None and model.price is not None:
        lines.append(
            (
                _("cost"),
                _("{cost:.6f} dollars, at prices from {as_of}").format(
                    cost=report.cost, as_of=model.price.as_of
                ),
            )
        )
    return lines


def _alternatives(count: int) -> str:
    return (
        _("up to {tokens} at each position").format(tokens=counted(count, "token"))
        if count
        else _("not reported")
    )
