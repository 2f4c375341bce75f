"""The models on this machine: which there are, which one is meant, and how the default is fetched.

    installed   the model folders and what is in them (light: the app uses it)
    find        from what the user wrote (`--model`, TUTOR_MODEL) to files on disk
    hub         models named hf:OWNER/REPO, through the Hugging Face client
    pull        fetches the default model; whole or not at all, and once
    report      what a pull says while it works

Knows nothing of torch: `tutor.lm.load` reads the files that are found here.
"""

from tutor.models.find import find_model
from tutor.models.installed import FoundModel, installed_models

__all__ = ["FoundModel", "find_model", "installed_models"]
