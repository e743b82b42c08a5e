"""A file that is still arriving: what is there already, and which version of which address it is part
of.

The target file itself holds what has arrived; `<target>.json` beside it holds address and version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PartialDownload:
    """The beginning of `target`, perhaps all of it."""

    target: Path

    @property
    def length(self) -> int:
        """Bytes that have arrived."""
        return self.target.stat().st_size if self.target.exists() else 0

    def resumable(self, url: str) -> tuple[str, int]:
        """Return version and length if this is part of `url`; otherwise remove it and return ("", 0)."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            if notes["url"] == url and notes["version"]:
                return notes["version"], self.length
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.forget()
        return "", 0

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        """Store the version of the file that is arriving; weak entity tags do not identify bytes."""
        tag = headers.get("ETag", "")
        version = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        self._notes.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")

    def forget(self) -> None:
        """Remove the partial file and its notes."""
        self.target.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    @property
    def _notes(self) -> Path:
        return self.target.with_name(f"{self.target.name}.json")
