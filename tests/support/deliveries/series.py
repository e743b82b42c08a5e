"""Small DICOM series of a volume whose voxels are known, and archives of them."""

import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.ingest.writing import SeriesInfo, write_enhanced, write_series

SAG = SeriesInfo("T2_TSE_SAG_LWS", number=4, identity="one person")
DEPTH_MM = 3.3


def volume(slices=5, seed=0, tilt_deg=6.0):
    """A tilted sagittal volume of random 12-bit values, 24 x 30 pixels of 0.9 mm."""
    values = np.random.default_rng(seed).integers(0, 4000, (24, 30, slices)).astype(np.int16)
    angle = np.radians(tilt_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    axes = np.array([[0, 0, -DEPTH_MM], [-0.9, 0, 0], [0, -0.9, 0]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn @ axes, (10, 100, 250)
    return Volume(values, affine)


def series(folder, info=SAG, image=None, **changes):
    """Write a series of single slices; return its folder."""
    write_series(folder, volume() if image is None else image, replace(info, **changes))
    return Path(folder)


def enhanced(path, info=SAG, image=None, **changes):
    """Write a series as one file."""
    return write_enhanced(path, volume() if image is None else image, replace(info, **changes))


def zipped(path, *folders, order=1):
    """Pack the files of folders into a zip archive; `order` -1 packs them backwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(folders)[::order]:
            archive.write(file, f"{file.parent.name}/{file.name}")
    return path


def tarred(path, *folders, mode="w:gz"):
    """Pack the files of folders into a tar archive."""
    with tarfile.open(path, mode) as archive:
        for file in _files(folders):
            archive.add(file, f"{file.parent.name}/{file.name}")
    return path


def _files(folders):
    return [file for folder in folders for file in sorted(Path(folder).rglob("*.dcm"))]
