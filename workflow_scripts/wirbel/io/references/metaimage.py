"""Read MetaImage files (.mha, .mhd), in which SPIDER is distributed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import read_volume

SUFFIXES = (".mha", ".mhd")
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_any(path: str | Path) -> Volume:
    """Read a 3D NIfTI or MetaImage file; see `read_volume`."""
    return read_metaimage(path) if Path(path).suffix in SUFFIXES else read_volume(path)


def read_metaimage(path: str | Path) -> Volume:
    """Read a 3D MetaImage file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Volume
        `data` of shape (i, j, k) in the file's type and axis order; `affine` maps voxel indices to RAS+ mm.

    Raises
    ------
    ScanError
        "unreadable" if the file is damaged or not a single 3D image.
    """
    import SimpleITK as sitk  # takes a second to import

    try:
        image = sitk.ReadImage(str(path), imageIO="MetaImageIO")
    except RuntimeError as error:
        said = " ".join(str(error).split("ERROR:")[-1].split())
        raise ScanError(
            "unreadable", f"{Path(path).name}: expected a MetaImage file, found {said}"
        ) from None
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ScanError(
            "unreadable",
            f"{Path(path).name}: expected one 3D image, found {image.GetDimension()} axes with "
            f"{image.GetNumberOfComponentsPerPixel()} values per voxel",
        )
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    data = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    return Volume(np.ascontiguousarray(data), LPS_TO_RAS @ affine)
