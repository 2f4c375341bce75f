"""Look up a package on a package index and download it, without pip or uv.

tutor uses this module to download the model if neither pip nor uv is available, and `tutor
--version --check` uses it to look for a newer version. The index is the one that pip or uv is
configured to use. Its "simple API" responds with JSON or, on older servers, with HTML:
https://packaging.python.org/en/latest/specifications/simple-repository-api/

`python -m tutor.models.package_index FOLDER PACKAGE VERSION` downloads a wheel to
`FOLDER/package.whl`. The download runs in a separate process, like pip, so that it can be stopped
while it waits for the server.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import http.client
import os
import platform
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

import msgspec
import platformdirs
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from tutor.errors import NotOnIndex, PackageIndexError

PYPI = "https://pypi.org/simple/"
_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_SILENCE = 30.0
"""The number of seconds to wait for a server that doesn't respond."""
_LARGEST_PAGE = 20_000_000
_CHUNK = 1 << 18
_ANY_PYTHON = Tag("py3", "none", "any")


class IndexFile(msgspec.Struct, frozen=True):
    """A file of a package on the index.

    The fields have the same names as in the API.
    """

    filename: str
    url: str
    hashes: dict[str, str] = {}
    yanked: bool | str = False
    requires_python: str | None = msgspec.field(default=None, name="requires-python")


class _Page(msgspec.Struct, frozen=True):
    files: tuple[IndexFile, ...]


def newest_version(package: str) -> Version | None:
    """Return the newest version of a package that runs on this version of Python, or None.

    Pre-releases and yanked files are ignored. Raises `PackageIndexError`.
    """
    versions = (_version(file) for file in _files(package) if not file.yanked and _runs(file))
    return max((each for each in versions if each and not each.is_prerelease), default=None)


def download(package: str, version: str, target: Path) -> None:
    """Download the wheel of a pure Python package, which works on all platforms.

    Raises `PackageIndexError` if there is no such wheel or the download fails, and `OSError` if the
    file cannot be written.
    """
    for file in _files(package):
        if _is_wheel_for_all(file, Version(version)):
            with _open(file.url) as source, target.open("wb") as to:
                _copy(file, source, to)
            return
    raise PackageIndexError(f"{_host(index_url())} does not have {package} {version}.")


def index_url() -> str:
    """Return the URL of the package index that pip or uv is configured to use."""
    named = next(filter(None, map(os.environ.get, _VARIABLES)), None)
    return (named or _from_pip("index-url") or PYPI).rstrip("/") + "/"


# --- the list of files --------------------------------------------------------------------------


def _files(package: str) -> tuple[IndexFile, ...]:
    url = urljoin(index_url(), f"{canonicalize_name(package)}/")
    try:
        with _open(url) as response:
            body, kind, base = _page(response), response.headers.get_content_type(), response.url
    except NotOnIndex as error:
        raise NotOnIndex(f"{_host(url)} has no package named {package}.") from error
    try:
        files = msgspec.json.decode(body, type=_Page).files if kind == _JSON else _links(body)
        return tuple(_with_full_url(file, base) for file in files)
    except (msgspec.MsgspecError, ValueError) as error:
        raise PackageIndexError(f"{_host(url)} sent an invalid page: {error}.") from error


def _page(response: http.client.HTTPResponse) -> bytes:
    with _explained(response.url):
        body = response.read(_LARGEST_PAGE + 1)
    if len(body) > _LARGEST_PAGE:
        raise PackageIndexError(f"{_host(response.url)} sent more than {_LARGEST_PAGE:,} bytes.")
    return body


class _Anchors(HTMLParser):
    """A parser that collects the links of an HTML page. Each link points to one file."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[IndexFile] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        url, fragment = urldefrag(given.get("href") or "")
        if tag != "a" or not url:
            return
        method, _, digest = fragment.partition("=")
        self.files.append(
            IndexFile(
                filename=unquote(urlsplit(url).path.rpartition("/")[2]),
                url=url,
                hashes={method: digest} if digest else {},
                yanked="data-yanked" in given,
                requires_python=given.get("data-requires-python"),
            )
        )


def _links(body: bytes) -> Iterable[IndexFile]:
    anchors = _Anchors()
    anchors.feed(body.decode("utf-8", errors="replace"))
    return anchors.files


def _with_full_url(file: IndexFile, base: str) -> IndexFile:
    return msgspec.structs.replace(file, url=urljoin(base, file.url))


def _is_wheel_for_all(file: IndexFile, version: Version) -> bool:
    with suppress(InvalidWheelFilename, InvalidVersion):
        _, found, _, tags = parse_wheel_filename(file.filename)
        return found == version and _ANY_PYTHON in tags
    return False


def _version(file: IndexFile) -> Version | None:
    with suppress(InvalidWheelFilename, InvalidVersion):
        return parse_wheel_filename(file.filename)[1]
    with suppress(InvalidSdistFilename, InvalidVersion):
        return parse_sdist_filename(file.filename)[1]
    return None


def _runs(file: IndexFile) -> bool:
    with suppress(InvalidSpecifier):
        return platform.python_version() in SpecifierSet(file.requires_python or "")
    return False


# --- the connection -----------------------------------------------------------------------------


def _open(url: str) -> http.client.HTTPResponse:
    """Open a URL.

    If the index's URL contains a user name and password, they are sent only to the index, not to
    other servers.
    """
    plain = _without_account(url)
    if urlsplit(plain).scheme not in ("https", "http"):
        raise PackageIndexError(f"{plain} is not a web address.")
    request = urllib.request.Request(plain, headers={"Accept": _ACCEPT, "User-Agent": "tutor"})
    index = urlsplit(index_url())
    if index.username is not None and _origin(plain) == _origin(index_url()):
        account = f"{unquote(index.username)}:{unquote(index.password or '')}"
        header = "Basic " + base64.b64encode(account.encode()).decode("ascii")
        request.add_unredirected_header("Authorization", header)
    with _explained(plain):
        certificates = os.environ.get("PIP_CERT") or _from_pip("cert")
        context = ssl.create_default_context(cafile=certificates)
        response = urllib.request.urlopen(request, timeout=_SILENCE, context=context)
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _copy(file: IndexFile, source: IO[bytes], target: IO[bytes]) -> None:
    digest = hashlib.sha256()
    while True:
        with _explained(file.url):
            chunk = source.read(_CHUNK)
        if not chunk:
            break
        digest.update(chunk)
        target.write(chunk)
    if file.hashes.get("sha256", digest.hexdigest()) != digest.hexdigest():
        raise PackageIndexError(
            f"{file.filename} does not match the checksum from {_host(index_url())}.",
            "Try again.",
        )


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Convert network errors in the `with` block.

    HTTP status 404 becomes `NotOnIndex`, and any other failure becomes `PackageIndexError`.
    """
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        missing = error.code == http.HTTPStatus.NOT_FOUND
        failure = NotOnIndex if missing else PackageIndexError
        raise failure(f"{_host(url)} answered: {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise PackageIndexError(f"{_host(url)} could not be reached: {reason}.") from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _without_account(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


# --- pip's configuration ------------------------------------------------------------------------


def _from_pip(setting: str) -> str | None:
    """Return a setting from pip's configuration files, or None.

    A file that is read later overrides the files before it.
    """
    parser = configparser.RawConfigParser()
    for path in _pip_files():
        with suppress(OSError, UnicodeDecodeError, configparser.Error):
            parser.read_string(path.read_text(encoding="utf-8"))
    return parser.get("global", setting, fallback="").strip() or None


def _pip_files() -> Iterator[Path]:
    """Yield pip's configuration files in the order in which pip reads them."""
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    alone = os.environ.get("PIP_CONFIG_FILE")
    if alone == os.devnull:
        return
    for folder in platformdirs.site_config_dir("pip", appauthor=False, multipath=True).split(
        os.pathsep
    ):
        yield Path(folder, name)
    yield Path("/etc", name)
    yield Path(platformdirs.user_config_dir("pip", appauthor=False, roaming=True), name)
    yield Path(sys.prefix, name)
    if alone:
        yield Path(alone)


def main(arguments: list[str]) -> int:
    """Run the command-line program: download a wheel and return the exit status."""
    folder, package, version = arguments
    try:
        download(package, version, Path(folder, "package.whl"))
    except (PackageIndexError, OSError) as error:
        reason = error.happened if isinstance(error, PackageIndexError) else error.strerror
        print(f"error: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
