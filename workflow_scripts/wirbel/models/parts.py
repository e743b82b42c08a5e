"""A file that is still arriving: what is there already, and of which version of which address it is a part.

What has arrived lies in the target file itself; `<target>.json` beside it holds address and version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """The beginning of `target`, perhaps all of it."""

    target: Path

    @property
    def length(self) -> int:
        """Bytes that are there."""
        return self.target.stat().st_size if self.target.exists() else 0

    def resumable(self, url: str) -> tuple[str, int]:
        """Return the version that this is a part of and its length; a part of anything else is removed."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            if notes["url"] == url and notes["version"]:
                return notes["version"], self.length
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.forget()
        return "", 0

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        """Remember which version of the file arrives; weak entity tags do not identify bytes."""
        tag = headers.get("ETag", "")
        version = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        self._notes.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")

    def forget(self) -> None:
        """Remove the part and what is known about it."""
        self.target.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    @property
    def _notes(self) -> Path:
        return self.target.with_name(f"{self.target.name}.json")
