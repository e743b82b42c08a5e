"""The merge on label maps of real spines, which are not part of the project: CONTRIBUTING.md."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support.spines.spine_boxes import oracle

from wirbel.core.geometry import Volume, grid_with_spacing, reorient
from wirbel.core.instances.cutouts import body_centres
from wirbel.core.labels import SACRUM
from wirbel.core.merging.both_maps import merge
from wirbel.core.resampling import resample_labels
from wirbel.core.semantic.cleaning import clean_semantic

REAL = Path(os.environ.get("WIRBEL_REAL_SCANS", "nowhere"), "labels")
MODEL_SPACING_MM = (1.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("name", "count", "method"), [("panoptica", 7, "sacrum"), ("sub-tptbox", 3, "estimated")]
)
def test_a_perfect_network_on_a_real_spine_gives_its_vertebrae_back(name, count, method):
    """Down to the model grid, through the merge, and back to the scan's own grid."""
    if not (REAL / f"{name}_subregions.nii.gz").exists():
        pytest.skip("WIRBEL_REAL_SCANS names no real label maps")
    subregion, vertebra = (read(f"{name}_{kind}.nii.gz") for kind in ("subregions", "vertebrae"))
    numbers = np.unique(vertebra.data[(vertebra.data > 0) & (vertebra.data < SACRUM)])
    lookup = np.zeros(256, np.uint8)
    lookup[numbers] = np.arange(1, len(numbers) + 1)
    grid = grid_with_spacing(reorient(subregion).grid, MODEL_SPACING_MM)
    labels = clean_semantic(resample_labels(subregion, grid))
    truth = resample_labels(vertebra.with_data(lookup[vertebra.data]), grid).data
    result = merge(labels, oracle(labels, truth, body_centres(labels)), subregion.grid)
    assert len(result.levels.labels) == count
    assert result.levels.method == method
    for number, label in zip(numbers, result.levels.labels, strict=True):
        a, b = vertebra.data == number, result.vertebra.data == label
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.93


def read(name):
    image = nib.load(REAL / name)
    return Volume(np.asarray(image.dataobj).astype(np.uint8), image.affine)
