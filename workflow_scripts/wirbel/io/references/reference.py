"""A folder of reference label maps, perhaps with tables of true measures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wirbel.core.geometry import Volume, reorient
from wirbel.core.label_schemes import LabelScheme, UnknownLabelError
from wirbel.core.resampling import resample_labels
from wirbel.io.references.metaimage import SUFFIXES, read_any
from wirbel.io.tabular.tables import read_table

REFERENCE_NAMES = {
    "subregion": ("_desc-subregion_dseg", "_subregions", "_subregion"),
    "vertebra": ("_desc-vertebra_dseg", "_vertebrae", "_vertebra"),
}
"""Map -> how a reference file's name may go on after the scan's name."""
ENDINGS = (".nii.gz", ".nii", *SUFFIXES)
SAME_MM = 1e-2
"""Largest difference of two affines that count as equal."""


class Reference:
    """A folder of reference label maps and, perhaps, tables of true measures.

    Parameters
    ----------
    folder : Path
        Searched at any depth.
    scheme : LabelScheme, optional
        What the numbers of its label maps mean. Default: they are ours.
    tables : iterable of str
        Names of tables of true measures that may lie in it.
    """

    def __init__(
        self, folder: Path, scheme: LabelScheme | None = None, tables: Iterable[str] = ()
    ) -> None:
        if not folder.is_dir():
            raise FileNotFoundError(f"no reference folder {folder}")
        self.scheme = scheme
        found = (path for path in sorted(folder.rglob("*")) if path.name.endswith(ENDINGS))
        self._files = {_stem(path): path for path in found}
        self._tables: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for table in tables:
            path = folder / f"{table}.csv"
            if path.exists():
                self._tables[table] = rows_by_scan(path)

    def map(self, scan_id: str, kind: str, like: Volume | None) -> Volume | None:
        """Return a reference map in the storage order and on the grid of `like` (None: its own), or None."""
        names = (scan_id + ending for ending in REFERENCE_NAMES[kind])
        path = next((self._files[name] for name in names if name in self._files), None)
        if path is None:
            return None
        return read_any(path) if like is None else on_grid_of(like, read_any(path))

    def foreign_map(self, scan_id: str, like: Volume | None) -> Volume | None:
        """Return the map, in the reference's own numbers, whose file is named after a scan; None without one."""
        named = [
            path
            for name, path in self._files.items()
            if name == scan_id or name.startswith(scan_id + "_")
        ]
        if not named:
            return None
        if len(named) > 1:
            raise UnknownLabelError(
                f"expected one label map {scan_id}_*.nii.gz in the reference, found "
                f"{', '.join(path.name for path in named[:3])}; keep one of them"
            )
        volume = read_any(named[0])
        return volume if like is None else reorient(volume, like.axes)

    @property
    def scan_ids(self) -> set[str]:
        """The scans that a reference map is there for."""
        endings = [ending for names in REFERENCE_NAMES.values() for ending in names]
        return {
            name.removesuffix(ending)
            for name in self._files
            for ending in endings
            if name.endswith(ending)
        }

    def rows(self, table: str, scan_id: str) -> list[dict[str, Any]]:
        """Return the true measures of one scan; empty without a table."""
        return self._tables.get(table, {}).get(scan_id, [])


def rows_by_scan(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return scan -> rows of a table with a column `scan_id`."""
    table = read_table(path)
    return {
        str(scan_id): rows.to_dict("records")
        for scan_id, rows in table.groupby("scan_id", sort=False)
    }


def on_grid_of(like: Volume, labels: Volume) -> Volume:
    """Return a label map in the storage order and on the grid of another volume."""
    turned = reorient(labels, like.axes)
    same = turned.data.shape == like.data.shape and abs(turned.affine - like.affine).max() < SAME_MM
    return turned if same else resample_labels(turned, like.grid)


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(e) for e in ENDINGS if path.name.endswith(e))
