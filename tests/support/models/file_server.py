"""A web server on this very machine that answers as the tests tell it: rightly, brokenly, slowly."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

from support.models.inference_settings import SETTINGS


class Request(BaseHTTPRequestHandler):
    """One question; the server's `answer` function decides what is sent."""

    protocol_version = (
        "HTTP/1.0"  # one connection per answer: cutting an answer short is closing it
    )

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        with suppress(BrokenPipeError, ConnectionResetError):  # some tests hang up early
            self.server.answer(self)

    def log_message(self, *_) -> None:
        pass

    def head(self, status: int, **headers) -> None:
        """Send the head of an answer; `Content_Length` becomes Content-Length."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def file(self, content: bytes, cut: int | None = None, etag: str = '"v1"') -> None:
        """Send a file as a good server does, parts included; with `cut` only that many bytes of it."""
        start, asked = 0, self.headers.get("Range")
        if asked and self.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        length = {"Content_Length": len(content) - start, "ETag": etag}
        if start:
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.head(206, Content_Range=span, **length)
        else:
            self.head(200, **length)
        self.wfile.write(content[start:][:cut])

    def drip(self, content: bytes, pause: float) -> None:
        """Send a file byte by byte."""
        self.head(200, Content_Length=len(content))
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(pause)


@contextmanager
def serving(answer: Callable[[Request], None]) -> Iterator[ThreadingHTTPServer]:
    """Run a server; `asked` lists the path and the headers of every question, `url` is its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    server.daemon_threads = True
    server.answer, server.asked = answer, []
    server.url = f"http://127.0.0.1:{server.server_port}/model.zip"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        with patch.dict(os.environ, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"):
            yield server
    finally:
        server.shutdown()
        server.server_close()


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip archive of the files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def model_files(folder: str = "", weights: bytes = b"weights") -> dict[str, bytes]:
    """Return the files of a small model, below `folder` (ending with /) where one is given."""
    config = json.dumps(SETTINGS).encode()
    return {f"{folder}inference_config.json": config, f"{folder}fold_0/weights.ckpt": weights}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
