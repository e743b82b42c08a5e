"""The scans of `make parity`: a folder's, or phantoms made for it and pieces of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

PIECES = {"whole": slice(15, 18), "lumbar": slice(1, 4)}
"""Which vertebrae of a phantom, counted from above, a piece holds."""
THORACOLUMBAR = slice(14, 21)
"""T9 to L3, which the embedded networks find at their voxel size."""
MARGIN_MM = 17.0
"""Left around the vertebrae of a piece, but for the direction across the slices."""
SLICES = 2
LAST_VERTEBRA = 25


def whole(work: Path, seed: int) -> Path:
    """Return a BIDS folder with a whole-spine phantom."""
    return _phantom(work, "whole", seed)


def lumbar(work: Path, seed: int) -> Path:
    """Return a BIDS folder with a lumbar phantom, cut by the image's upper border somewhere."""
    return _phantom(work, "lumbar", seed)


def pieces(work: Path, seed: int) -> Path:
    """Return a BIDS folder with a piece of each phantom: some vertebrae with what surrounds them."""
    folder = work / "scans" / "pieces"
    for region, which in PIECES.items():
        _write_piece(_phantom(work, region, seed), folder, region, which)
    return folder


def thoracolumbar(work: Path, seed: int) -> Path:
    """Return a BIDS folder with a longer piece of the whole-spine phantom, across the two regions' border."""
    folder = work / "scans" / "thoracolumbar"
    _write_piece(_phantom(work, "whole", seed), folder, "thoracolumbar", THORACOLUMBAR)
    return folder


def scans_in(folder: Path) -> dict[str, Path]:
    """Return the scans of a BIDS folder by name."""
    found = sorted(folder.glob("sub-*/**/anat/*_T2w.nii*"))
    return {path.name.partition(".")[0].removesuffix("_T2w"): path.resolve() for path in found}


def _phantom(work: Path, region: str, seed: int) -> Path:
    folder = work / "scans" / region
    if not (folder / "derivatives" / "truth" / "truth.json").is_file():
        line = ["--regions", region, "--bids-dir", folder, "--count", 1, "--seed", seed]
        command = [sys.executable, "-m", "wirbel.stages.simulate", *line, "--processes", 1]
        subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)
    return folder


def _write_piece(bids: Path, folder: Path, name: str, which: slice) -> None:
    ((scan_name, scan),) = scans_in(bids).items()
    target = folder / f"sub-{name}" / "anat" / f"sub-{name}_T2w.nii.gz"
    if target.exists():
        return
    truth = bids / "derivatives" / "truth" / scan_name / "anat"
    vertebrae = nib.load(truth / f"{scan_name}_desc-vertebra_dseg.nii.gz")
    target.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.load(scan).slicer[_box(vertebrae, which)], target)


def _box(vertebrae: nib.Nifti1Image, which: slice) -> tuple[slice, ...]:
    data = np.asarray(vertebrae.dataobj)
    numbers = np.unique(data[(data > 0) & (data <= LAST_VERTEBRA)])
    voxels = np.argwhere(np.isin(data, numbers[which]))
    spacing_mm = np.array(vertebrae.header.get_zooms()[:3])
    across = spacing_mm == spacing_mm.max()
    margin = np.where(across, SLICES, np.ceil(MARGIN_MM / spacing_mm)).astype(int)
    low, high = np.maximum(voxels.min(0) - margin, 0), voxels.max(0) + margin + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
