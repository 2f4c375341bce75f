"""Test the client of the package index that needs neither pip nor uv."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.models.local_index import FILE, PACKAGE, WHEEL, Index
from tutor.errors import NotOnIndex, PackageIndexError
from tutor.models import package_index
from tutor.models.package_index import PYPI, download, index_url, newest_version

SHA256 = hashlib.sha256(WHEEL).hexdigest()


def page(*files: dict[str, Any]) -> str:
    return msgspec.json.encode({"meta": {"api-version": "1.1"}, "files": files}).decode()


def file(filename: str = FILE, sha256: str = SHA256, **more: Any) -> dict[str, Any]:
    return {"filename": filename, "url": f"/{FILE}", "hashes": {"sha256": sha256}, **more}


def test_a_wheel_is_downloaded_from_a_page_of_json(index: Index, tmp_path: Path) -> None:
    index.page = page(file("tutor_test_model-0.9-py3-none-any.whl", url="/wrong"), file())
    download(PACKAGE, "1.0", tmp_path / "package.whl")
    assert (tmp_path / "package.whl").read_bytes() == WHEEL
    assert index.asked[0]["Accept"].startswith("application/vnd.pypi.simple.v1+json")


def test_a_file_must_have_the_checksum_on_the_page(index: Index, tmp_path: Path) -> None:
    index.page = page(file(sha256="0" * 64))
    with pytest.raises(PackageIndexError, match="checksum"):
        download(PACKAGE, "1.0", tmp_path / "package.whl")


def test_a_wheel_of_one_platform_is_not_downloaded(index: Index, tmp_path: Path) -> None:
    index.page = page(file("tutor_test_model-1.0-cp311-cp311-win_amd64.whl"))
    with pytest.raises(PackageIndexError, match=r"does not have tutor-test-model 1\.0"):
        download(PACKAGE, "1.0", tmp_path / "package.whl")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_only_web_addresses_are_opened(index: Index, tmp_path: Path, url: str) -> None:
    index.page = page(file() | {"url": url})
    with pytest.raises(PackageIndexError, match="not a web address"):
        download(PACKAGE, "1.0", tmp_path / "package.whl")


@pytest.mark.parametrize("text", ["{}", '{"files": 3}', "[", '{"files": [{"url": "http://["}]}'])
def test_an_invalid_page(index: Index, text: str) -> None:
    index.page = text
    with pytest.raises(PackageIndexError, match="sent an invalid page"):
        newest_version(PACKAGE)


def test_an_endless_page(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "_LARGEST_PAGE", 100)
    index.page = page(file())
    with pytest.raises(PackageIndexError, match="more than 100 bytes"):
        newest_version(PACKAGE)


def test_the_newest_version_that_runs_here(index: Index) -> None:
    index.page = page(
        file(),
        file("tutor_test_model-1.10.tar.gz"),
        file("tutor_test_model-1.9-py3-none-any.whl"),
        file("tutor_test_model-2.0-py3-none-any.whl", yanked="broken"),
        file("tutor_test_model-3.0-py3-none-any.whl", **{"requires-python": ">=99"}),
        file("tutor_test_model-4.0rc1-py3-none-any.whl"),
        file("not a package"),
    )
    assert str(newest_version(PACKAGE)) == "1.10"


def test_the_newest_version_on_a_page_of_html(index: Index) -> None:
    assert str(newest_version(PACKAGE)) == "1.0"


def test_a_package_that_is_not_there(index: Index) -> None:
    with pytest.raises(NotOnIndex, match="no package named no-such-package"):
        newest_version("no-such-package")


def test_a_file_that_is_not_there(index: Index, tmp_path: Path) -> None:
    index.page = page(file() | {"url": "/simple/gone"})
    assert package_index.main([str(tmp_path), PACKAGE, "1.0"]) == 1
    with pytest.raises(PackageIndexError, match=r"127\.0\.0\.1 answered: 404"):
        download(PACKAGE, "1.0", tmp_path / "package.whl")


def test_the_account_goes_to_the_index_alone(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is on another host, as far as the names of the hosts tell."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://ada:p%40ss@127.0.0.1:{index.server_port}/simple")
    index.page = page(file() | {"url": f"http://localhost:{index.server_port}/{FILE}"})
    download(PACKAGE, "1.0", tmp_path / "package.whl")
    assert [headers["Authorization"] for headers in index.asked] == ["Basic YWRhOnBAc3M=", None]


@pytest.mark.parametrize(
    ("variables", "config", "expected"),
    [
        ({}, "", PYPI),
        ({"PIP_INDEX_URL": "https://a.test/simple"}, "", "https://a.test/simple/"),
        ({"UV_DEFAULT_INDEX": "https://b.test/simple/"}, "", "https://b.test/simple/"),
        ({}, "[global]\nindex-url = https://c.test/simple\n", "https://c.test/simple/"),
        ({}, "not a configuration", PYPI),
        ({}, "[global]\nno-input = true\n", PYPI),
    ],
)
def test_the_index_is_the_one_of_pip_or_uv(
    variables: dict[str, str],
    config: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "pip.conf").write_text(config)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert index_url() == expected
