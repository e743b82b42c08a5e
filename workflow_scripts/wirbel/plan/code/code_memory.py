"""Digests of source files, remembered beside Python's own compiled files: reading all of them takes half a second.

An entry is believed while its file's size, times and number stay, as Git does; a file that was changed within the
last seconds is read again, since a second change might leave the same time stamp.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from wirbel.io.atomic import write_text
from wirbel.plan.code import source_code as reader
from wirbel.plan.code.source_code import SourceCode, source_code

FILE_NAME = "wirbel-source-code.json"
SETTLED_SECONDS = 3
"""Age from which on a file's time stamp tells every change."""


class CodeMemory:
    """What the modules of a package say; a memory that cannot be read or written is done without."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "__pycache__" / FILE_NAME
        self._reader = _reader()
        self._known = self._read()
        self._learned = False

    def of(self, module: str, path: Path, *, in_words: bool) -> SourceCode:
        """Return what a module says (see `source_code`); its file is read only where it changed."""
        found = path.stat()
        marks = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        known = self._known.get(module)
        if known is not None and known[0] == marks:
            return SourceCode(tuple(known[1]["imports"]), known[1]["text"], known[1]["wordless"])
        code = source_code(module, path, in_words=in_words)
        if time.time() - max(found.st_mtime, found.st_ctime) > SETTLED_SECONDS:
            self._known[module] = [marks, asdict(code)]
            self._learned = True
        return code

    def keep(self) -> None:
        """Write down what was learned, unless Python is told not to leave such files."""
        if not self._learned or sys.dont_write_bytecode:
            return
        self._learned = False
        try:
            write_text(self._file, json.dumps({"reader": self._reader, "known": self._known}))
        except OSError:
            return  # a folder that others own: reading again costs half a second

    def _read(self) -> dict[str, list]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            return content["known"] if content["reader"] == self._reader else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _reader() -> str:
    """Return what the digests depend on besides the files: how they are read, and by which Python."""
    return hashlib.sha256(Path(reader.__file__).read_bytes() + sys.version.encode()).hexdigest()
