"""Define the paths of the learner's files, machine-wide files and bundled files.

These environment variables change the paths:

    TUTOR_DATA      the learner's own folder, instead of the system's default location
    TUTOR_SHARED    the machine-wide folder, instead of the system's default location
    TUTOR_ENGINE    the socket of a shared engine, or "own" to always start a separate engine
    TUTOR_LEARNER   the value of `--learner`, for child processes

No other module defines paths. The functions read the environment variables on each call, and create
neither files nor folders.
"""

import os
import re
import sys
from hashlib import blake2b
from pathlib import Path

import platformdirs

from tutor.errors import NoHome, UsageError

_PACKAGE = Path(__file__).resolve().parent
_LEARNER_NAME = re.compile(r"\w[\w.-]{0,39}")


def data_folder() -> Path:
    """Return the folder of the learner's data: progress, downloaded models and the engine's log.

    Raises `NoHome` if the account has no home folder and TUTOR_DATA is not set.
    """
    if chosen := os.environ.get("TUTOR_DATA"):
        return Path(chosen).absolute()
    try:
        folder = platformdirs.user_data_path("tutor", appauthor=False)
    except RuntimeError:
        folder = Path("~")
    # Without a home folder, older versions of platformdirs return "~".
    if not folder.is_absolute():
        raise NoHome(
            "This account has no home folder.",
            "Set TUTOR_DATA to a folder that you can write to.",
        )
    return folder


def cache_folder() -> Path:
    """Return the folder for files that tutor can create again.

    It is inside TUTOR_DATA if that is set. Raises `NoHome` if the account has no home folder and
    TUTOR_DATA is not set.
    """
    if os.environ.get("TUTOR_DATA"):
        return data_folder() / "cache"
    data_folder()  # raises `NoHome`
    return platformdirs.user_cache_path("tutor", appauthor=False)


def shared_folder() -> Path:
    """Return the machine-wide folder, in which a school stores models once for all learners."""
    if chosen := os.environ.get("TUTOR_SHARED"):
        return Path(chosen).absolute()
    return platformdirs.site_data_path("tutor", appauthor=False)


def user_models_folder() -> Path:
    """Return the folder for downloaded models. Raises `NoHome`."""
    return data_folder() / "models"


def packed_folder() -> Path:
    """Return the folder for packed copies of models. Raises `NoHome`."""
    return cache_folder() / "packed"


def shared_models_folder() -> Path:
    return shared_folder() / "models"


def model_folders() -> tuple[Path, ...]:
    """Return the folders of installed models: the learner's own, and then the machine-wide one.

    Without a home folder, only the machine-wide folder is returned.
    """
    try:
        return user_models_folder(), shared_models_folder()
    except NoHome:
        return (shared_models_folder(),)


def learner_folder(name: str = "me", course: Path | None = None) -> Path:
    """Return the folder with a learner's progress in the bundled course, or in `course`.

    Each course has its own folder, because question ids are unique only within a course. Raises
    `NoHome`, or `UsageError` if the learner's name is not a valid folder name: up to 40 letters,
    digits, `-`, `_` and `.`.
    """
    return data_folder() / learners_within(course) / _checked(name)


def _checked(name: str) -> str:
    if not _LEARNER_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't be used as a learner's name.",
            "Use up to 40 letters, digits, '-', '_' or '.', starting with a letter or digit.",
        )
    return name


def learner_named() -> str:
    """Return the name of the learner who uses this process."""
    return os.environ.get("TUTOR_LEARNER") or "me"


def learners_within(course: Path | None = None) -> Path:
    """Return the relative path from a data folder to the learners of the course `course`."""
    if course is None or course.resolve() == lessons_folder().resolve():
        return Path("learners")
    place = blake2b(os.fsencode(course.resolve()), digest_size=8).hexdigest()
    return Path("courses", place, "learners")


def account_data_folders() -> dict[Path, str]:
    """Return the default data folder of each account, mapped to the account's login name.

    The folders need not exist. Links in the paths of home folders are resolved. The result is empty
    on Windows, which has no list of accounts.
    """
    if sys.platform != "win32":
        from pwd import getpwall

        mac = sys.platform == "darwin"
        usual = "Library/Application Support/tutor" if mac else ".local/share/tutor"
        homes = ((os.path.realpath(each.pw_dir), each.pw_name) for each in getpwall())
        return {Path(home, usual): login for home, login in homes}
    return {}


def pseudonyms_key() -> Path:
    """Return the file with the teacher's key for pseudonyms. Raises `NoHome`."""
    return data_folder() / "class" / "pseudonyms.key"


def browser_key() -> Path:
    """Return the file with the key for the addresses of `tutor serve`. Raises `NoHome`."""
    return data_folder() / "browser.key"


def class_file() -> Path:
    """Return the file with the due dates for everyone on this machine."""
    return shared_folder() / "class.json"


def engine_sockets() -> tuple[Path, ...]:
    """Return the possible paths of a shared engine's socket: the learner's, then the machine's."""
    if chosen := os.environ.get("TUTOR_ENGINE"):
        return () if chosen == "own" else (Path(chosen).absolute(),)
    if sys.platform == "win32":
        return ()
    if sys.platform == "darwin":
        folders = [platformdirs.user_runtime_path("tutor", appauthor=False), Path("/var/run/tutor")]
    else:
        own = os.environ.get(
            "XDG_RUNTIME_DIR"
        )  # Not all systems set this variable, but no other folder is as private.
        folders = [Path(own) / "tutor"] if own else []
        folders.append(Path("/run/tutor"))
    return tuple(folder / "engine.sock" for folder in folders)


def labs_folder() -> Path:
    """Return the folder for networks that the learner trains in labs.

    Raises `NoHome`, or `UsageError` for an invalid name, as `learner_folder` does.
    """
    name = learner_named()
    return data_folder() / "labs" if name == "me" else learner_folder(name) / "labs"


def labs_of_account(account: int, learner: str) -> Path:
    """Return the folder in which a shared engine saves the labs of one system account.

    Raises `NoHome`, or `UsageError` for an invalid name.
    """
    return data_folder() / "labs" / "accounts" / str(account) / _checked(learner)


def indexes_folder() -> Path:
    """Return the folder for indexes of the learner's own texts. Raises `NoHome`."""
    return cache_folder() / "indexes"


def vectors_folder() -> Path:
    """Return the folder for passage vectors, with one file per model. Raises `NoHome`."""
    return cache_folder() / "vectors"


def retrieval_pairs() -> Path:
    """Return the file with questions about the course and the passages that answer them."""
    return assets_folder() / "retrieval" / "pairs.yaml"


def log_file() -> Path:
    """Return the path of the engine's error log. Raises `NoHome`."""
    return data_folder() / "engine.log"


def crash_file() -> Path:
    """Return the file for the traceback of an error that stopped the app. Raises `NoHome`."""
    return data_folder() / "crash.txt"


def lessons_folder() -> Path:
    """Return the folder of the bundled lessons."""
    return _shipped("lessons")


def assets_folder() -> Path:
    """Return the folder of the bundled data, including the bundled small model."""
    return _shipped("assets")


def word2vec_text() -> Path:
    """Return the file with the text for training word vectors, one Factbook field per line."""
    return assets_folder() / "word2vec" / "factbook.txt"


def bots_folder() -> Path:
    """Return the folder with the rules, intents, answers and probes of the bots in lesson 1."""
    return assets_folder() / "bots"


def real_and_invented() -> Path:
    """Return the file with the questions of the `certainty` lab."""
    return assets_folder() / "real-and-invented" / "questions.json"


def bundled_model_folder() -> Path:
    """Return the folder of the bundled small model, in the Hugging Face format."""
    return assets_folder() / "small-model"


def bundled_base_folder() -> Path:
    """Return the folder of the bundled base model, from which the instruct model was made."""
    return assets_folder() / "small-base"


def bundled_instruct_folder() -> Path:
    """Return the folder of the bundled instruct model, which was made from the base model."""
    return assets_folder() / "small-instruct"


def _shipped(name: str) -> Path:
    """Return the path of a bundled folder.

    In a wheel, the folder is inside the package, and its name begins with an underscore. In the
    source tree, and therefore in an editable install, it is next to the package.
    """
    packaged = _PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else _PACKAGE.parent / name
