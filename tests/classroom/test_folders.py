"""Test where learners are found, their names, and the reports about the others."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.classroom.class_of_learners import learner
from tutor import paths
from tutor.classroom import folders
from tutor.classroom.folders import Search

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX links and permissions")
without_permissions = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root can read everything"
)


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """Make data folders for ada and bob, named after their logins; bob shares his with eve."""
    for data, name in (("ada", "me"), ("bob", "me"), ("bob", "eve")):
        learner(tmp_path / "school" / data / "learners" / name)
    (tmp_path / "school" / "ada" / "models").mkdir()
    return tmp_path / "school"


def found(*places: Path) -> list[str]:
    search = Search(Path("learners"))
    for place in places:
        search.look(place)
    assert search.unread == []
    return [each.name for each in search.found]


def test_a_folder_of_any_of_four_kinds(school: Path) -> None:
    assert found(school) == ["ada", "bob/eve", "bob"]
    assert found(school / "bob") == ["eve", "bob"]
    assert found(school / "bob" / "learners") == ["eve", "me"]
    assert found(school / "bob" / "learners" / "eve") == ["eve"]
    assert found(school / "ada" / "learners" / "me") == ["ada"]


def test_each_learner_is_found_once(school: Path) -> None:
    search = Search(Path("learners"))
    for place in (school / "ada", school, school / "." / "bob" / "learners"):
        search.look(place)
    assert [each.name for each in search.found] == ["ada", "bob/eve", "bob"]
    assert len({each.folder for each in search.found}) == 3


def test_the_learners_of_another_course(tmp_path: Path) -> None:
    course = tmp_path / "course"
    within = paths.learners_within(course)
    learner(tmp_path / "data" / within / "ada")
    learner(tmp_path / "data" / "learners" / "bob")
    search = Search(within)
    search.look(tmp_path / "data")
    assert [each.name for each in search.found] == ["ada"]


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_folders_without_learners_are_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    search = Search(Path("learners"))
    search.look(tmp_path / name)
    assert search.found == []
    assert {each.where for each in search.unread} == {str(tmp_path / name)}


@posix
def test_links_of_learners_are_not_followed(school: Path, tmp_path: Path) -> None:
    (school / "bob" / "learners" / "copy").symlink_to(school / "ada" / "learners" / "me")
    (school / "mallory").mkdir()
    (school / "mallory" / "learners").symlink_to(school / "ada" / "learners")
    search = Search(Path("learners"))
    search.look(school)
    assert [each.name for each in search.found] == ["ada", "bob/eve", "bob"]
    assert [Path(each.where).parent.name for each in search.unread] == ["mallory"]
    assert "link" in search.unread[0].why


@without_permissions
def test_unreadable_folders_are_reported(school: Path) -> None:
    closed = (school / "ada", school / "bob" / "learners" / "me")
    for folder in closed:
        folder.chmod(0)
    search = Search(Path("learners"))
    search.look(school)
    for folder in closed:
        folder.chmod(0o700)
    assert [each.name for each in search.found] == ["bob/eve"]
    assert [each.where for each in search.unread] == list(map(str, closed))


def test_accounts_of_the_machine(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each account is named after its login, and this data folder is included."""
    accounts = {school / "ada": "al", school / "bob": "bo", tmp_path / "none": "no-account"}
    monkeypatch.setattr(paths, "account_data_folders", lambda: accounts)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "own"))
    learner(tmp_path / "own" / "learners" / "me")
    search = Search(Path("learners"))
    search.look_everywhere()
    assert [each.name for each in search.found] == ["al", "bo/eve", "bo", "own"]
    assert search.unread == []


@posix
def test_an_account_cannot_claim_the_progress_of_another(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lazy").symlink_to(school / "ada")
    accounts = {tmp_path / "lazy": "lazy", school / "ada": "ada"}
    monkeypatch.setattr(paths, "account_data_folders", lambda: accounts)
    search = Search(Path("learners"))
    search.look_everywhere()
    assert [each.name for each in search.found] == ["ada"]
    assert [each.where for each in search.unread] == [str(tmp_path / "lazy")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no list of accounts")
def test_the_accounts_come_from_the_system() -> None:
    import pwd

    logins = {account.pw_name for account in pwd.getpwall()}
    assert set(paths.account_data_folders().values()) <= logins
    assert len(paths.account_data_folders()) > 0


def test_names_of_folders_are_shown_as_text(tmp_path: Path) -> None:
    hostile = "\x1b[2J\n\u202e" + "x" * 100 if sys.platform != "win32" else "x" * 100
    learner(tmp_path / "learners" / hostile)
    [each] = _search(tmp_path).found
    assert each.name.isprintable()
    assert len(each.name) < 100


def test_a_folder_with_too_many_entries_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        learner(tmp_path / "learners" / f"{number}")
    monkeypatch.setattr(folders, "MOST_ENTRIES", 3)
    search = _search(tmp_path)
    assert len(search.found) == 3
    assert "more than 3 entries" in search.unread[0].why


def _search(place: Path) -> Search:
    search = Search(Path("learners"))
    search.look(place)
    return search
