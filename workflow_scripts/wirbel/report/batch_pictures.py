"""The pictures of one batch: a panel for each scan, and a sheet with the thumbnails of all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from wirbel.core.pictures.panels.paint import THUMB_HEIGHT, THUMB_WIDTH
from wirbel.io.atomic import sweep_temporaries, write_text
from wirbel.io.embedded import write_webp
from wirbel.io.sidecars import write_json
from wirbel.report.scripts import as_script

COLUMNS = 8
"""Thumbnails in a row of the sheet."""


class BatchPictures:
    """Writes what a batch's panels are made of below `qc/`, and what is where in `work/pictures/<batch>.json`."""

    def __init__(self, output_dir: Path, batch: str) -> None:
        self._output_dir, self.batch = output_dir, batch
        self._list = pictures_file(output_dir, batch)
        self.written: list[Path] = []
        self._places: dict[str, dict[str, Any]] = {}
        self._thumbs: list[tuple[str, Image.Image]] = []

    @property
    def panels(self) -> Path:
        """The folder of the batch's panels."""
        return self._output_dir / "qc" / "panels" / self.batch

    @property
    def sheet(self) -> Path:
        """The file with the thumbnails of all scans."""
        return self._output_dir / "qc" / "thumbnails" / f"{self.batch}.webp"

    def sweep(self) -> None:
        """Remove what a killed process left beside the files of the batch."""
        for folder in (self.panels, self.sheet.parent, self._list.parent):
            sweep_temporaries(folder)

    def add(self, scan_id: str, content: dict[str, Any], thumb: Image.Image) -> None:
        """Write a scan's panel, and keep its thumbnail for the sheet."""
        path = self.panels / f"{scan_id}.js"
        write_text(path, as_script(f"panel:{scan_id}", content))
        self.written.append(path)
        self._places[scan_id] = {"panel": self._address(path)}
        self._thumbs.append((scan_id, thumb))

    def finish(self) -> None:
        """Write the sheet, and the list of what is where; remove pictures of scans that have none any more."""
        if self._thumbs:
            self._write_sheet()
        write_json(self._list, self._places, compact=True)
        self.written.append(self._list)
        for old in {*_files(self.panels), self.sheet} - set(self.written):
            old.unlink(missing_ok=True)

    def _write_sheet(self) -> None:
        rows = -(-len(self._thumbs) // COLUMNS)
        used = min(COLUMNS, len(self._thumbs))
        sheet = Image.new("RGB", (used * THUMB_WIDTH, rows * THUMB_HEIGHT))
        for number, (scan_id, thumb) in enumerate(self._thumbs):
            y, x = divmod(number, COLUMNS)
            at = {"x": x * THUMB_WIDTH, "y": y * THUMB_HEIGHT}
            sheet.paste(thumb, (at["x"], at["y"]))
            size = {"width": THUMB_WIDTH, "height": THUMB_HEIGHT, "columns": used}
            self._places[scan_id] |= {"sheet": self._address(self.sheet), **at, **size}
        write_webp(self.sheet, sheet)
        self.written.append(self.sheet)

    def _address(self, path: Path) -> str:
        return path.relative_to(self._output_dir / "qc").as_posix()


def pictures_file(output_dir: Path, batch: str) -> Path:
    """Return where it stands what pictures a batch's scans have."""
    return output_dir / "work" / "pictures" / f"{batch}.json"


def _files(folder: Path) -> Iterable[Path]:
    return folder.glob("*.js") if folder.is_dir() else ()
