"""Find out how tutor was installed, to show the right commands for upgrades and extras.

The distribution is named llm-tutor, because "tutor" on the Python Package Index is another program.
The import package is still named `tutor`. Both programs have the command `tutor`, so they must be
installed in separate environments in any case.
"""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Literal, assert_never

DISTRIBUTION = "llm-tutor"
"""The name on the Python Package Index, which is also the name of tutor's second command."""

_UVX_CACHE = "archive-v0"
"""The folder in uv's cache that contains the environments of uvx."""


Installer = Literal["pipx", "uv tool", "uvx", "pip"]


def install_command(extra: str, environment: Path | None = None) -> str:
    """Return the command that installs an extra in this installation.

    `environment` is the folder of the Python environment. By default, this is the environment of
    the running process.
    """
    requirement = f"'{DISTRIBUTION}[{extra}]'"
    return _pip("install", requirement, environment, uvx=f"uvx {requirement}")


def reinstall_command(package: str, environment: Path | None = None) -> str:
    """Return the command that installs a damaged package again (see `install_command`)."""
    again = f"--force-reinstall --no-deps {package}"
    uvx = f"uvx --reinstall-package {package} {DISTRIBUTION}"
    return _pip("install", again, environment, uvx=uvx)


def uninstall_command(package: str, environment: Path | None = None) -> str:
    """Return the command that removes a package from the environment (see `install_command`).

    An environment of uvx is temporary, so the command removes the whole environment.
    """
    return _pip("uninstall", package, environment, uvx=f"uv cache clean {DISTRIBUTION}")


def _pip(verb: str, arguments: str, environment: Path | None, *, uvx: str) -> str:
    """Return a pip command for the environment, or `uvx` if uvx created the environment."""
    environment = environment or Path(sys.prefix)
    match _installer(environment):
        case "pipx":
            return f"pipx runpip {DISTRIBUTION} {verb} {arguments}"
        case "uv tool":
            # `uv tool install` would always look for tutor on the index.
            return f"uv pip {verb} --python {shlex.quote(str(environment))} {arguments}"
        case "uvx":
            return uvx
        case "pip":
            return f"{_pip_of(environment)} {verb} {arguments}"
        case other:
            assert_never(other)


def upgrade_command(environment: Path | None = None) -> str:
    """Return the command that upgrades this installation (see `install_command`)."""
    environment = environment or Path(sys.prefix)
    match _installer(environment):
        case "pipx":
            return f"pipx upgrade {DISTRIBUTION}"
        case "uv tool":
            return f"uv tool upgrade {DISTRIBUTION}"
        case "uvx":
            return f"uvx {DISTRIBUTION}@latest"
        case "pip":
            return f"{_pip_of(environment)} install --upgrade {DISTRIBUTION}"
        case other:
            assert_never(other)


def _pip_of(environment: Path) -> str:
    """Return "pip", or the path of the environment's pip if "pip" would run another one.

    If the environment is not activated, another pip does not find tutor, because tutor is not on
    the package index.
    """
    own = environment / "bin" / "pip"
    found = shutil.which("pip")
    if own.exists() and (found is None or Path(found).parent != own.parent):
        return shlex.quote(str(own))
    return "pip"


def _installer(environment: Path) -> Installer:
    """Return the name of the program that created the environment.

    pipx and `uv tool` leave a file in the environment, and uvx uses a cache folder.
    """
    if (environment / "pipx_metadata.json").exists():
        return "pipx"
    if (environment / "uv-receipt.toml").exists():
        return "uv tool"
    return "uvx" if _UVX_CACHE in environment.parts else "pip"
