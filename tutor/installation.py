"""Tell how tutor was installed, and how to install an extra in the same way.

The distribution is named llm-tutor, because "tutor" on the Python Package Index is another program.
The import package is still called `tutor`: the two programs share the command `tutor` anyway, so
they could not be installed in one environment under any name. pipx, `uv tool` and virtual
environments keep them apart.
"""

import sys
from pathlib import Path

DISTRIBUTION = "llm-tutor"
"""The name on the Python Package Index, which is also the name of a second command."""


def install_command(extra: str, environment: Path | None = None) -> str:
    """Return the command that adds an optional dependency group to this installation.

    `environment` is the folder of the Python environment, by default the running one. pipx and
    `uv tool` each leave a file there that identifies them.
    """
    environment = environment or Path(sys.prefix)
    requirement = f"'{DISTRIBUTION}[{extra}]'"
    if (environment / "pipx_metadata.json").exists():
        return f"pipx runpip {DISTRIBUTION} install {requirement}"
    if (environment / "uv-receipt.toml").exists():
        return f"uv tool install {requirement}"
    return f"pip install {requirement}"
