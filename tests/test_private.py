"""Test that tutor's files are private to the learner, whatever the umask.

They must also be written to the right place, whatever another account has put there.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no such permissions", allow_module_level=True)

from tests.terminal import Terminal
from tests.tiny_gguf import write_gguf
from tutor import paths, private
from tutor.course.catalogue import load_course
from tutor.engine.process import COMMAND, EngineProcess
from tutor.engine.wire import Loading
from tutor.learner import exchange
from tutor.learner.progress import Progress
from tutor.learner.records import Answered
from tutor.lm.load import load_model
from tutor.models import FoundModel
from tutor.retrieval import store


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder that does not exist yet, with a umask that allows everything."""
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    before = os.umask(0)
    yield tmp_path / "data"
    os.umask(before)


def answered(number: int) -> Answered:
    return Answered(at=1e6, question=f"question-{number}", version=1, lesson="one", correct=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> dict[str, str]:
    places = [folder, *folder.rglob("*")]
    return {str(each): oct(mode(each)) for each in places if mode(each) & 0o077}


def test_everything_in_the_learners_folder_is_private(data: Path, tmp_path: Path) -> None:
    progress = Progress.open(paths.learner_folder())
    progress.record(answered(1))
    progress.record(answered(2))
    exchange.write(data / "export.json", b"{}")
    (tmp_path / "texts").mkdir()
    with store.opened_to_write("notes", tmp_path / "texts"):
        pass
    write_gguf(tmp_path / "tiny.gguf", "Q4_1")
    load_model(FoundModel("tiny", "gguf", tmp_path / "tiny.gguf"))
    load_course()
    found = {path.suffix for path in data.rglob("*")}
    assert {".json", ".log", ".safetensors"} <= found
    assert open_to_others(data) == {}


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def umask_of(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1], 8) for line in status if line.startswith("Umask"))


@linux
def test_files_from_libraries_are_private_in_the_app(data: Path, tmp_path: Path) -> None:
    write = 'umask 000; exec "$0" -m tutor --model no-such-model'
    with Terminal(["sh", "-c", write, sys.executable]) as terminal:
        terminal.wait_for("quit")
        assert umask_of(terminal.process.pid) == 0o077
        terminal.press("q")
        assert terminal.wait_exit() == 0
    assert open_to_others(data) == {}


@linux
async def test_files_from_libraries_are_private_in_the_engine(data: Path, tmp_path: Path) -> None:
    """These are, for example, the networks that labs train."""
    process = await EngineProcess.start([*COMMAND, "--model", str(tmp_path / "none.gguf")])
    assert await process.receive() == Loading("starting")
    assert umask_of(process.pid) == 0o077
    await process.end()


async def test_the_engines_log_is_private(data: Path) -> None:
    process = await EngineProcess.start([sys.executable, "-c", "pass"])
    await process.end()
    assert mode(paths.log_file()) == 0o600
    assert open_to_others(data) == {}


def test_others_lose_the_right_to_write(data: Path) -> None:
    """The right to read is not changed: a teacher may have been given it."""
    folder = paths.learner_folder()
    folder.mkdir(parents=True)
    (folder / "reviews.log").touch()
    for place, loose in ((data, 0o777), (folder, 0o775), (folder / "reviews.log", 0o666)):
        place.chmod(loose)
    Progress.open(folder).record(answered(1))
    assert mode(data) == 0o755
    assert mode(folder) == 0o755
    assert mode(folder / "reviews.log") == 0o644
    assert mode(folder / "progress.json") == 0o600
    assert not [path for path in data.rglob("*") if mode(path) & 0o022]


# --- files of other accounts --------------------------------------------------------------


def test_an_export_does_not_follow_an_existing_link(tmp_path: Path) -> None:
    """In a folder like /tmp, anyone can guess the name of the temporary file."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    target = tmp_path / "export.json"
    target.with_name("export.json.tmp").symlink_to(precious)
    exchange.write(target, b"{}")
    assert precious.read_text() == "mine"
    assert target.read_bytes() == b"{}"
    assert not target.is_symlink()


def test_an_export_is_not_written_into_an_open_file(tmp_path: Path) -> None:
    target = tmp_path / "export.json"
    with target.with_name("export.json.tmp").open("w+b") as theirs:
        exchange.write(target, b"{}")
        assert theirs.read() == b""
    assert mode(target) == 0o600


def test_a_link_in_place_of_the_export_is_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "export.json").symlink_to(precious)
    exchange.write(tmp_path / "export.json", b"{}")
    assert precious.read_text() == "mine"


def test_modules_are_not_imported_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another account has put modules with our names, and PyTorch's, into /tmp."""
    for name in ("torch", "msgspec", "tutor"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close(); raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    from tutor.app.background import fetch as model_fetch
    from tutor.engine import process

    for command in (process.COMMAND, (*model_fetch.COMMAND[:5], "--help")):
        subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120
        )
    assert not (tmp_path / "ran").exists()


# --- the shared folder ----------------------------------------------------------------------------

LOAD = """
import sys
from pathlib import Path
from tutor.lm.load import load_model
from tutor.models import FoundModel
load_model(FoundModel("tiny", "gguf", Path(sys.argv[1])))
"""


def without_privileges() -> list[str]:
    """Return a prefix for commands that makes permissions apply even for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root can write anywhere")
    capabilities = "-dac_override,-dac_read_search,-fowner"
    return ["setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities]


def test_a_learner_writes_nothing_into_the_shared_folder(tmp_path: Path, data: Path) -> None:
    folder = paths.shared_models_folder()
    private.make_folder(folder, 0o755)
    assert mode(folder) == mode(paths.shared_folder()) == 0o755
    write_gguf(folder / "tiny.gguf", "Q4_1")
    folder.chmod(0o555)
    command = [*without_privileges(), sys.executable, "-c", LOAD, str(folder / "tiny.gguf")]
    subprocess.run(command, check=True, timeout=120)
    assert [path.name for path in folder.iterdir()] == ["tiny.gguf"]
    assert list(data.rglob("*.safetensors"))
    assert open_to_others(data) == {}
