"""Serves files of one folder to browsers on this machine, and nothing else to nobody else.

Bound to 127.0.0.1. A request is refused unless it comes from a process of the same user, is GET or HEAD, names this
very server as its host (a web site could reach it through a name of its own that points here), and asks for a file
that lies below the folder once links are resolved.
"""

from __future__ import annotations

import os
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from wirbel.command.serving.peers import is_own

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
COMPRESSED = "application/gzip"
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The pages load nothing from elsewhere, and no other site may embed them or read the files."""


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server that is listening; `port` 0 takes a free one."""
    handler = partial(Handler, directory=os.path.realpath(folder))
    return ThreadingHTTPServer((HOST, port), handler)


class Handler(SimpleHTTPRequestHandler):
    """Answers one request."""

    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".json": "application/json",
        ".tsv": "text/tab-separated-values",
        ".webp": "image/webp",
        ".gz": COMPRESSED,
    }

    def parse_request(self) -> bool:
        """Refuse, before anything is looked up, what is not GET or HEAD from this machine's own browser."""
        if not super().parse_request():
            return False
        if self.command not in ("GET", "HEAD"):
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered")
        elif not is_own(self.client_address, self._address()):
            self.send_error(HTTPStatus.FORBIDDEN, "Another user of this machine asks")
        elif not self._names_us():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server has another name")
        elif self.translate_path(self.path) is None:
            self.send_error(HTTPStatus.NOT_FOUND, "There is no such file")
        else:
            return True
        return False

    def translate_path(self, path: str) -> str | None:  # type: ignore[override]
        """Return the file that an address stands for; None for one that is not there, or outside."""
        name = unquote(urlsplit(path).path, errors="surrogateescape").lstrip("/")
        if "\0" in name:
            return None
        found = os.path.realpath(os.path.join(self.directory, name))
        inside = found == self.directory or found.startswith(self.directory.rstrip("/") + "/")
        if not inside or _is_hidden(os.path.relpath(found, self.directory)):
            return None
        if os.path.isdir(found):
            return os.path.join(found, "") if path.endswith("/") else found
        return found if os.path.isfile(found) else None

    def list_directory(self, path: object):
        """Refuse: folders of 30,000 entries are not for browsers."""
        self.send_error(HTTPStatus.NOT_FOUND, "There is no such file")

    def end_headers(self) -> None:
        """Send the headers that hold for every answer."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *args) -> None:
        """Print nothing for each request."""

    def _address(self) -> tuple[str, int]:
        """Return the server's host and port."""
        host, port, *_ = cast(tuple[str, int], self.server.server_address)
        return host, port

    def _names_us(self) -> bool:
        """Whether the request's only Host header names this server, as its browser knows it."""
        given = self.headers.get_all("Host") or []
        port = self._address()[1]
        allowed = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set())
        return len(given) == 1 and given[0].strip().lower() in allowed


def _is_hidden(name: str) -> bool:
    """Whether a path has a part that begins with a dot."""
    return any(part.startswith(".") and part != "." for part in name.split("/"))
