"""What tutor writes down about a learner is for that learner alone, whatever the umask, and goes
where it is meant to go, whatever somebody else has put in its place."""

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
    """A data folder that does not exist yet, and a umask that forbids nothing."""
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
def test_the_app_closes_what_any_library_writes(data: Path, tmp_path: Path) -> None:
    write = 'umask 000; exec "$0" -m tutor --model no-such-model'
    with Terminal(["sh", "-c", write, sys.executable]) as terminal:
        terminal.wait_for("quit")
        assert umask_of(terminal.process.pid) == 0o077
        terminal.press("q")
        assert terminal.wait_exit() == 0
    assert open_to_others(data) == {}


@linux
async def test_the_engine_closes_what_any_library_writes(data: Path, tmp_path: Path) -> None:
    """The networks that labs train, for example."""
    process = await EngineProcess.start([*COMMAND, "--model", str(tmp_path / "none.gguf")])
    assert await process.receive() == Loading("starting")
    assert umask_of(process.pid) == 0o077
    await process.end()


async def test_the_engines_log_is_private(data: Path) -> None:
    process = await EngineProcess.start([sys.executable, "-c", "pass"])
    await process.end()
    assert mode(paths.log_file()) == 0o600
    assert open_to_others(data) == {}


def test_what_others_could_write_they_can_no_longer(data: Path) -> None:
    """Who may read it is left alone: a teacher may have been given that."""
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


# --- what others have put in the way --------------------------------------------------------------


def test_an_export_does_not_follow_a_link_that_was_there_first(tmp_path: Path) -> None:
    """In a folder like /tmp, anybody can guess the name of the temporary file."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    target = tmp_path / "export.json"
    target.with_name("export.json.tmp").symlink_to(precious)
    exchange.write(target, b"{}")
    assert precious.read_text() == "mine"
    assert target.read_bytes() == b"{}"
    assert not target.is_symlink()


def test_an_export_is_not_written_into_a_file_that_somebody_has_open(tmp_path: Path) -> None:
    target = tmp_path / "export.json"
    with target.with_name("export.json.tmp").open("w+b") as theirs:
        exchange.write(target, b"{}")
        assert theirs.read() == b""
    assert mode(target) == 0o600


def test_a_link_in_the_place_of_the_export_is_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "export.json").symlink_to(precious)
    exchange.write(tmp_path / "export.json", b"{}")
    assert precious.read_text() == "mine"


def test_a_folder_that_tutor_is_started_in_is_no_place_to_import_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has put modules of their own into /tmp, with the names of ours and of PyTorch."""
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
    """What to put before a command so that permissions hold for it; for root they do not."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere")
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
