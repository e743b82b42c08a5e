"""The public SPIDER data set as it is downloaded (zenodo.org/records/10159290): read it, and lay it out as BIDS.

It holds `images/1_t2.mha`, `masks/1_t2.mha` (the same name twice) and `overview.csv`. Of each patient the T2w scan is
taken; T1w and T2 SPACE scans are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.io.dataset.bids import write_dataset_description
from wirbel.io.foreign.foreign_tables import read_foreign_table
from wirbel.io.nifti.volumes import LABELS, write_volume
from wirbel.io.references.metaimage import read_metaimage
from wirbel.io.tabular.tables import write_rows

T2 = re.compile(r"(\d+)_t2\.mha")
MASKS = Path("derivatives", "masks")
NAME_COLUMN, SUBSET_COLUMN = "new_file_name", "subset"
"""Of overview.csv: a scan's file name without ending; training or validation."""
LARGEST_INT16 = 2**15 - 1


@dataclass(frozen=True)
class SpiderScan:
    """One T2w scan: its number, its two files and what overview.csv says of it."""

    number: int
    image: Path
    mask: Path
    described: dict[str, str]

    @property
    def participant(self) -> str:
        """Its BIDS name."""
        return f"sub-{self.number}"


def list_spider(folder: Path, subset: str = "") -> list[SpiderScan]:
    """Return the T2w scans of a downloaded folder that have a mask, in the order of their numbers.

    Parameters
    ----------
    folder : Path
        With `images`, `masks` and `overview.csv`.
    subset : str
        Only these scans (`training` or `validation`). Default: all.

    Raises
    ------
    ValueError
        If the folder is not what is downloaded, or holds no scan of the subset.
    """
    missing = [name for name in ("images", "masks") if not (folder / name).is_dir()]
    if missing:
        raise ValueError(
            f"{folder}: expected the folders images and masks of SPIDER, found no {' and no '.join(missing)}; unpack "
            "images.zip and masks.zip of zenodo.org/records/10159290 there"
        )
    described = _overview(folder / "overview.csv", needed=bool(subset))
    found = []
    for image in sorted((folder / "images").iterdir()):
        match, mask = T2.fullmatch(image.name), folder / "masks" / image.name
        if match and mask.exists():
            more = described.get(image.stem, {})
            if not subset or more.get(SUBSET_COLUMN, "").strip().lower() == subset:
                found.append(SpiderScan(int(match[1]), image, mask, more))
    if not found:
        of = f" of the subset {subset}" if subset else ""
        raise ValueError(
            f"{folder}: expected scans{of} such as images/1_t2.mha with masks/1_t2.mha, found none"
        )
    return sorted(found, key=lambda scan: scan.number)


def write_spider_as_bids(scans: Iterable[SpiderScan], bids_dir: Path) -> list[str]:
    """Write scans, masks (`derivatives/masks`, SPIDER's numbers) and participants.tsv; keep what is there.

    Returns
    -------
    list of str
        A sentence for each scan that cannot be read and is left out.
    """
    write_dataset_description(
        bids_dir, "SPIDER, T2w scans (CC BY 4.0, doi:10.1038/s41597-024-03090-w)"
    )
    faults, rows = [], []
    for scan in scans:
        try:
            _write_scan(scan, bids_dir)
            rows.append({"participant_id": scan.participant, **scan.described})
        except ScanError as error:
            faults.append(f"{scan.participant} is left out: {error.detail}")
    columns = list(dict.fromkeys(["participant_id", *(name for row in rows for name in row)]))
    write_rows(bids_dir / "participants.tsv", columns, rows)
    return faults


def _write_scan(scan: SpiderScan, bids_dir: Path) -> None:
    image = bids_dir / scan.participant / "anat" / f"{scan.participant}_T2w.nii.gz"
    mask = bids_dir / MASKS / f"{scan.participant}_mask.nii.gz"
    if not mask.exists():
        write_volume(mask, _whole(read_metaimage(scan.mask), scan.mask), np.uint8, intent=LABELS)
    if not image.exists():
        volume = read_metaimage(scan.image)
        fits = volume.data.dtype.kind in "iu" and abs(volume.data).max(initial=0) <= LARGEST_INT16
        write_volume(image, volume, np.int16 if fits else np.float32)


def _whole(mask: Volume, path: Path) -> Volume:
    """Return a mask if it holds numbers from 0 to 255."""
    values = np.unique(mask.data)
    if values.size and (values[0] < 0 or values[-1] > 255 or (values != np.rint(values)).any()):
        raise ScanError(
            "unreadable", f"masks/{path.name}: expected numbers from 0 to 255, found {values[-1]}"
        )
    return mask


def _overview(path: Path, *, needed: bool) -> dict[str, dict[str, str]]:
    """Return file name without ending -> cells of overview.csv; {} without one."""
    if not path.exists():
        if needed:
            raise ValueError(
                f"{path}: expected SPIDER's table of scans, found none; it names the subsets"
            )
        return {}
    table = read_foreign_table(path)
    if NAME_COLUMN not in table.columns:
        raise ValueError(
            f"{path}: expected a column {NAME_COLUMN}, found {', '.join(table.columns)}"
        )
    kept = [name for name in table.columns if name not in (NAME_COLUMN, "participant_id")]
    return {
        row[NAME_COLUMN].strip(): {name: row.get(name, "") for name in kept} for row in table.rows
    }
