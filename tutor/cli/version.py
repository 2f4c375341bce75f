"""Implement `tutor --version`, and `tutor --version --check`, which looks for a newer version.

tutor never looks for a newer version unless the user asks for it. The check requests one page from
the package index that pip or uv uses. It sends no data about the learner or the machine.
"""

from __future__ import annotations

import argparse

from tutor import __version__
from tutor.cli import output
from tutor.errors import NotInThisLogin, NotOnIndex
from tutor.installation import DISTRIBUTION, upgrade_command
from tutor.language import _


def run(options: argparse.Namespace) -> int:
    output.write(_("tutor {version}").format(version=__version__))
    if not options.check:
        return 0
    if options.kiosk:
        raise NotInThisLogin(
            "tutor can't check for a new version, because this login can't use the network.",
            "Ask the administrator which version is the newest.",
        )
    output.write(_newer())
    return 0


def _newer() -> str:
    from packaging.version import Version

    from tutor.models.package_index import newest_version

    try:
        newest = newest_version(DISTRIBUTION)
    except NotOnIndex as error:
        advice = _("To upgrade, reinstall tutor from its original source.")
        return f"{error.happened} {advice}"
    if newest is None or newest <= Version(__version__):
        return _("This is the newest version.")
    available = _("Version {newest} is available. To upgrade, run: {command}")
    return available.format(newest=newest, command=upgrade_command())
