"""Download one file, over https only, and continue where a broken attempt stopped.

A partial file (`partial_download`) is continued only if the server still has the same version
(If-Range).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from wirbel.models.errors import ModelError
from wirbel.models.fetching.partial_download import PartialDownload

MOST_BYTES = 20 * 1024**3
"""Far larger than any published network; a server that sends more is not trusted."""
BLOCK_BYTES = 1024 * 1024
SLOWEST_BYTES_PER_SECOND = 1024
MOST_REDIRECTS = 10
LOOPBACK = ("127.0.0.1", "localhost", "::1")
WORTH_ANOTHER_TRY = (408, 429, 500, 502, 503, 504)
BROKEN = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)
"""How network faults appear, while sending the request or reading the answer."""


class Report(Protocol):
    """Receives messages about a download."""

    def say(self, sentence: str) -> None:
        """Take one sentence."""

    def progress(self, done: int, total: int | None) -> None:
        """Take the number of bytes received, and the total if it is known."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server and how often to retry; the pause doubles each time."""

    connect_seconds: float = 20.0
    read_seconds: float = 60.0
    tries: int = 6
    pause_seconds: float = 2.0
    longest_pause_seconds: float = 60.0


PATIENCE = Patience()


class _Broken(Exception):
    """An attempt failed, but another one may succeed; the text says how."""


class _Unusable(Exception):
    """An address does not work, now or later; the text says why."""


def download(
    urls: Sequence[str],
    target: Path,
    size: int | None,
    report: Report,
    patience: Patience = PATIENCE,
    allow_loopback: bool = False,
) -> str:
    """Fetch the first address that works into `target`.

    Parameters
    ----------
    urls : sequence of str
        Addresses to try, in order.
    target : Path
        The file to write.
    size : int or None
        Expected number of bytes, if known.
    report : Report
        Receives messages and progress.
    patience : Patience
        Waits and retries.
    allow_loopback : bool
        Also accept http from this machine, for tests.

    Returns
    -------
    str
        The address that worked.

    Raises
    ------
    ModelError
        One sentence per address. What has arrived stays for the next attempt.
    """
    faults = []
    for url in urls:
        try:
            with _session(allow_loopback) as session:
                _persevere(session, url, PartialDownload(target), size, report, patience)
            return url
        except _Unusable as fault:
            faults.append(f"{url}: {fault}")
    raise ModelError("; ".join(faults))


class _CarefulAdapter(HTTPAdapter):
    """Sends requests to https addresses only; every redirect passes through it too."""

    def __init__(self, allow_loopback: bool) -> None:
        super().__init__()
        self._allow_loopback = allow_loopback

    def send(self, request, **options):
        parts = urlsplit(request.url)
        loopback = self._allow_loopback and parts.hostname in LOOPBACK
        if parts.scheme != "https" and not loopback:
            raise _Unusable(f"refused, because {parts.scheme}://{parts.hostname} is not https")
        return super().send(request, **options)


def _session(allow_loopback: bool) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _CarefulAdapter(allow_loopback))
    session.max_redirects = MOST_REDIRECTS
    return session


def _persevere(session, url, part, size, report, patience) -> None:
    """Try until the file is complete; attempts that bring at least one block do not count."""
    left, pause = patience.tries, patience.pause_seconds
    while True:
        before = part.length
        try:
            return _attempt(session, url, part, size, report, patience)
        except _Broken as fault:
            left -= part.length - before < BLOCK_BYTES
            if left <= 0:
                raise _Unusable(f"{fault}; gave up after {patience.tries} tries") from None
            report.say(f"{fault}; trying again in {pause:.0f} s")
        time.sleep(pause)
        pause = min(2 * pause, patience.longest_pause_seconds)


def _attempt(session, url, part, size, report, patience) -> None:
    """Send one request for the missing bytes and append the answer."""
    validator, start = part.resumable(url)
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    waits = (patience.connect_seconds, patience.read_seconds)
    try:
        with session.get(url, headers=headers, stream=True, timeout=waits) as answer:
            total = _accept(answer, url, part, start, size)
            _append(answer, part, total, report, patience)
    except requests.exceptions.SSLError as error:
        raise _Unusable(f"the connection is not trusted ({_short(error)})") from None
    except BROKEN as error:
        if _is_offline(error):
            raise _Unusable(f"{_short(error)}; is there internet on this machine?") from None
        raise _Broken(f"the connection broke ({_short(error)})") from None
    except requests.RequestException as error:
        raise _Unusable(_short(error)) from None


def _accept(answer, url: str, part: PartialDownload, start: int, size: int | None) -> int | None:
    """Check an answer's headers and drop a partial file that it does not continue; return the total
    bytes.
    """
    if answer.status_code == 416:
        part.forget()
        raise _Broken("the server no longer has the file of which this is a part")
    if answer.status_code in WORTH_ANOTHER_TRY:
        raise _Broken(f"the server answered {answer.status_code} ({answer.reason})")
    if answer.status_code not in (200, 206):
        raise _Unusable(f"the server answered {answer.status_code} ({answer.reason})")
    if answer.status_code == 206:
        total: int | None = _continues(answer, part, start)
    else:
        total = _number(answer.headers.get("Content-Length"))
        part.forget()
    if total is not None and (total > MOST_BYTES or size not in (None, total)):
        part.forget()
        wanted = f"{size} bytes" if size is not None else f"at most {MOST_BYTES} bytes"
        raise _Unusable(f"the file has {total} bytes, expected {wanted}")
    part.note(url, answer.headers)
    return total if total is not None else size


def _continues(answer, part: PartialDownload, start: int) -> int:
    """Return the total bytes; raise if the answer does not start where the partial file ends."""
    unit, _, rest = answer.headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    if unit != "bytes" or _number(span.partition("-")[0]) != start or _number(total) is None:
        part.forget()
        raise _Broken("the server sent a different part of the file")
    return int(total)


def _append(
    answer, part: PartialDownload, total: int | None, report: Report, patience: Patience
) -> None:
    done, limit = part.length, MOST_BYTES if total is None else total
    pace = _Pace(patience.read_seconds, done)
    with part.target.open("ab") as stream:
        while done <= limit and (block := answer.raw.read1(BLOCK_BYTES, decode_content=False)):
            done += len(block)
            stream.write(block)
            report.progress(done, total)
            pace.check(done)
    if done > limit:
        part.forget()
        raise _Unusable(f"the server sent more than {limit} bytes")
    if total is not None and done < total:
        raise _Broken(f"the answer ended after {done} of {total} bytes")


class _Pace:
    """Detects a server that is too slow for the file ever to arrive."""

    def __init__(self, seconds: float, done: int) -> None:
        self._seconds, self._since, self._done = seconds, time.monotonic(), done

    def check(self, done: int) -> None:
        passed = time.monotonic() - self._since
        if passed < self._seconds:
            return
        if done - self._done < SLOWEST_BYTES_PER_SECOND * passed:
            raise _Broken(f"only {done - self._done} bytes came in {passed:.0f} s")
        self._since, self._done = time.monotonic(), done


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _short(error: Exception) -> str:
    """Return the innermost reason on one line, because requests nests several messages."""
    reason = getattr(error, "reason", None) or (error.args[0] if error.args else error)
    while isinstance(reason, Exception) and (inner := getattr(reason, "reason", None)):
        reason = inner
    lines = str(reason).splitlines() or [repr(error)]
    return re.sub(r"^(<.*>|\w+\([^()]*\)): ", "", lines[0])[:200]


def _is_offline(error: Exception) -> bool:
    """Return True if not even the server's name could be resolved, as on a compute node."""
    reason = error.args[0] if error.args else None
    return isinstance(getattr(reason, "reason", None), urllib3.exceptions.NameResolutionError)
