"""Where files are: the learner's own, those shared by everyone on the machine, and those that
came with the package. No other module knows.

    TUTOR_DATA      the learner's own folder, instead of the system's usual place
    TUTOR_SHARED    the machine-wide folder, instead of the system's usual place
    TUTOR_ENGINE    the socket of an engine that serves many; "own" to start one's own always
    TUTOR_LEARNER   what `--learner` names, for the processes that the command line starts

These are functions, so that the environment is read when a path is needed; none of them creates
anything.
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
    """The learner's own folder: progress, fetched models, the engine's log.

    Raises `NoHome` where the account has no home folder and TUTOR_DATA is not set.
    """
    if chosen := os.environ.get("TUTOR_DATA"):
        return Path(chosen).absolute()
    try:
        folder = platformdirs.user_data_path("tutor", appauthor=False)
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():  # older versions leave "~" as it is where there is no home
        raise NoHome(
            "This account has no home folder.",
            "Set TUTOR_DATA to a folder that you may write to.",
        )
    return folder


def cache_folder() -> Path:
    """For what can be made again at any time; inside TUTOR_DATA where that is set.

    Raises `NoHome` where the account has no home folder and TUTOR_DATA is not set.
    """
    if os.environ.get("TUTOR_DATA"):
        return data_folder() / "cache"
    data_folder()  # raises where there is no home
    return platformdirs.user_cache_path("tutor", appauthor=False)


def shared_folder() -> Path:
    """The machine-wide folder, where a school keeps one copy of a model for everybody."""
    if chosen := os.environ.get("TUTOR_SHARED"):
        return Path(chosen).absolute()
    return platformdirs.site_data_path("tutor", appauthor=False)


def user_models_folder() -> Path:
    """Where models are fetched to. Raises `NoHome`."""
    return data_folder() / "models"


def shared_models_folder() -> Path:
    return shared_folder() / "models"


def model_folders() -> tuple[Path, ...]:
    """Where installed models are looked for: the learner's own folder first, then the
    machine-wide one. Without a home folder only the latter is left."""
    try:
        return user_models_folder(), shared_models_folder()
    except NoHome:
        return (shared_models_folder(),)


def learner_folder(name: str = "me", course: Path | None = None) -> Path:
    """The folder of one learner's progress in the course that came with this version, or in the
    one in the folder `course`: ids of one course mean nothing in another. Raises `NoHome`, or
    `UsageError` for a name that is not fit for a folder (letters, digits, `-`, `_` and `.` are, up
    to 40 of them)."""
    return data_folder() / learners_within(course) / _checked(name)


def _checked(name: str) -> str:
    if not _LEARNER_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for a learner.",
            "Use up to 40 letters, digits, '-', '_' or '.', starting with a letter or digit.",
        )
    return name


def learner_named() -> str:
    """Whose progress it is in this process and those that it starts."""
    return os.environ.get("TUTOR_LEARNER") or "me"


def learners_within(course: Path | None = None) -> Path:
    """Where in a data folder the folders of its learners are; of those of another course than the
    one that came with this version, where `course` is its folder."""
    if course is None or course.resolve() == lessons_folder().resolve():
        return Path("learners")
    place = blake2b(os.fsencode(course.resolve()), digest_size=8).hexdigest()
    return Path("courses", place, "learners")


def account_data_folders() -> dict[Path, str]:
    """The usual data folder of each account on this machine, whether or not it is there, and the
    account's login; no link leads to the home folder. None where the system keeps no list of
    accounts (Windows)."""
    if sys.platform != "win32":
        from pwd import getpwall

        mac = sys.platform == "darwin"
        usual = "Library/Application Support/tutor" if mac else ".local/share/tutor"
        homes = ((os.path.realpath(each.pw_dir), each.pw_name) for each in getpwall())
        return {Path(home, usual): login for home, login in homes}
    return {}


def pseudonyms_key() -> Path:
    """What a teacher's pseudonyms are made with. Raises `NoHome`."""
    return data_folder() / "class" / "pseudonyms.key"


def class_file() -> Path:
    """What is due for everyone who learns on this machine."""
    return shared_folder() / "class.json"


def engine_sockets() -> tuple[Path, ...]:
    """Where an engine that serves many is looked for, and started: the learner's own place first,
    then that of the machine."""
    if chosen := os.environ.get("TUTOR_ENGINE"):
        return () if chosen == "own" else (Path(chosen).absolute(),)
    if sys.platform == "win32":
        return ()
    if sys.platform == "darwin":
        folders = [platformdirs.user_runtime_path("tutor", appauthor=False), Path("/var/run/tutor")]
    else:
        own = os.environ.get("XDG_RUNTIME_DIR")  # not everywhere, and nothing else is as private
        folders = [Path(own) / "tutor"] if own else []
        folders.append(Path("/run/tutor"))
    return tuple(folder / "engine.sock" for folder in folders)


def labs_folder() -> Path:
    """Where labs keep what the learner made in them: networks in training. Raises `NoHome`, or
    `UsageError` for a learner as `learner_folder` does."""
    name = learner_named()
    return data_folder() / "labs" if name == "me" else learner_folder(name) / "labs"


def labs_of_account(account: int, learner: str) -> Path:
    """The same, in an engine that serves many, for a learner who uses that account of the system.
    Raises `NoHome`, or `UsageError` for a name that is not fit for a folder."""
    return data_folder() / "labs" / "accounts" / str(account) / _checked(learner)


def indexes_folder() -> Path:
    """Where indexes of the learner's own texts are: each can be made again. Raises `NoHome`."""
    return cache_folder() / "indexes"


def vectors_folder() -> Path:
    """Where vectors of passages are kept, by the model that they are from. Raises `NoHome`."""
    return cache_folder() / "vectors"


def retrieval_pairs() -> Path:
    """Questions about the course, and the passages that answer them."""
    return assets_folder() / "retrieval" / "pairs.yaml"


def log_file() -> Path:
    """Where the engine writes what goes wrong. Raises `NoHome`."""
    return data_folder() / "engine.log"


def crash_file() -> Path:
    """Where the app writes which mistake ended it. Raises `NoHome`."""
    return data_folder() / "crash.txt"


def lessons_folder() -> Path:
    """The lessons that came with this version."""
    return _shipped("lessons")


def assets_folder() -> Path:
    """The data that came with this version, the small model included."""
    return _shipped("assets")


def word2vec_text() -> Path:
    """What word vectors are trained on in a lab: a field of the World Factbook a line."""
    return assets_folder() / "word2vec" / "factbook.txt"


def bots_folder() -> Path:
    """What the chatbots of lesson 1 are made of: rules, intents, answers and probes."""
    return assets_folder() / "bots"


def real_and_invented() -> Path:
    """The questions of the lab `certainty`."""
    return assets_folder() / "real-and-invented" / "questions.json"


def bundled_model_folder() -> Path:
    """The small model that came with this version, a Hugging Face folder."""
    return assets_folder() / "small-model"


def _shipped(name: str) -> Path:
    """A wheel carries the folder inside the package, under a name of its own; in the source tree,
    and so in an editable install, it stands beside the package."""
    packaged = _PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else _PACKAGE.parent / name
